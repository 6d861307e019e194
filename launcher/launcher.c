/*
 * The native launcher: what an installed program is.
 *
 * make setup copies this program once for each program of the suite and writes into the copy, behind the marker below,
 * four strings: the program's name, the path HOME/bin/NAME, the interpreter, and the script that the interpreter is to run. So
 * it need not look at its own name or place, which belong to whoever makes a link. It executes
 *
 *     INTERPRETER -I -S SCRIPT NAME ARGV0 ARGUMENT...
 *
 * with argv[0] HOME/bin/NAME, so that ps, pidof and killall find it, under the same process id.
 * A resident pool, if there is one that may do the work, does it in our place: pool.c.
 *
 * The interpreter must find its library where it was built to be, and nothing the caller says may change that. -I and -S keep
 * its own variables, the current folder and the user's packages out. But it also looks for a file pyvenv.cfg beside its argv[0],
 * and above it, in the current folder if argv[0] has no slash: so argv[0] is of our choice, and HOME/pyvenv.cfg names the
 * interpreter's true place. Variables that the C library or the dynamic linker read travel under a prefix, and boot.py gives them
 * their names back.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "pool.h"

#define MARKER "QMAILPY LAUNCHER:"
#define ROOM 4096
#define HIDDEN "QMAILPY_HIDDEN_"

/* Not const and read through a volatile pointer, so that no compiler believes to know what is in it. */
char settings[sizeof MARKER + ROOM] = MARKER;

enum { PROGRAM, TITLE, INTERPRETER, SCRIPT, FIELDS };

static const char *field[FIELDS];

static int was_closed[3]; /* of descriptors 0, 1 and 2 */

#ifdef MUSL
/*
 * In a setuid program musl opens /dev/null, for reading as well, where one of these is closed, and a message that cannot be read would be an
 * empty one. So we look before the library begins; it is not set up yet, and errno cannot be used.
 */
typedef int entry(int, char **, char **);
int __real___libc_start_main(entry *, int, char **, void (*)(void), void (*)(void), void (*)(void));

int __wrap___libc_start_main(entry *begin, int argc, char **argv, void (*init)(void), void (*end)(void), void (*loader)(void))
{
    struct pollfd seen[3] = { { 0, 0, 0 }, { 1, 0, 0 }, { 2, 0, 0 } };
    int fd;

    poll(seen, 3, 0);
    for (fd = 0; fd < 3; fd++)
        was_closed[fd] = !!(seen[fd].revents & POLLNVAL);
    return __real___libc_start_main(begin, argc, argv, init, end, loader);
}
#endif

/* What qmail-queue's own work may look at. Everything else of a stranger's environment stays outside. */
static const char *const trusted[] = { "TCPREMOTEIP", "TCPREMOTEINFO", "RELAYCLIENT", "ORIGINIPFIELD", 0 };

/* Names, or with = beginnings of names, that the C library, the dynamic linker or libcrypto read. */
static const char *const hidden[] = { "PATH", "LANG", "LANGUAGE", "LC_=", "LD_=", "TZ", "TZDIR", "LOCPATH", "NLSPATH", "GCONV_PATH", "GETCONF_DIR",
    "GLIBC_TUNABLES", "HOSTALIASES", "LOCALDOMAIN", "MALLOC_=", "OPENSSL_=", "RES_OPTIONS", "RESOLV_HOST_CONF", "SSL_=", "TMPDIR", 0 };

static void say(const char *text)
{
    if (write(2, text, strlen(text)) == -1)
        return;
}

static int is_queue(void)
{
    return !strcmp(field[PROGRAM], "qmail-queue");
}

static void die(const char *what, const char *which, const char *why)
{
    say(field[PROGRAM] ? field[PROGRAM] : "qmailpy");
    say(": fatal: ");
    say(what);
    say(which);
    say(why);
    say("\n");
    _exit(field[PROGRAM] && is_queue() ? 120 : 111); /* both: try again later */
}

static void read_settings(void)
{
    const char *at = (const char *) (volatile char *) settings + sizeof MARKER - 1;
    const char *end = settings + sizeof settings - 1;
    int i;

    for (i = 0; i < FIELDS; i++) {
        if (at >= end || !*at)
            die("this is a launcher that make setup has not filled in", "", "");
        field[i] = at;
        at += strlen(at) + 1;
    }
}

static int is(const char *entry, const char *name)
{
    size_t length = strlen(name);

    if (name[length - 1] == '=')
        return !strncmp(entry, name, length - 1);
    return !strncmp(entry, name, length) && entry[length] == '=';
}

static int listed(const char *entry, const char *const *names)
{
    for (; *names; names++)
        if (is(entry, *names))
            return 1;
    return 0;
}

int is_trusted(const char *entry)
{
    return listed(entry, trusted);
}

static char **environment(char **given, int restricted)
{
    size_t count = 0, bytes = 0, used = 0;
    char **made, *text;
    char **entry;

    for (entry = given; *entry; entry++, count++)
        if (listed(*entry, hidden))
            bytes += strlen(*entry) + sizeof HIDDEN;
    made = malloc((count + 1) * sizeof *made);
    text = malloc(bytes + 1);
    if (!made || !text)
        die("out of memory", "", "");
    for (entry = given; *entry; entry++) {
        if (restricted ? !is_trusted(*entry) : !strncmp(*entry, HIDDEN, sizeof HIDDEN - 1))
            continue;
        if (restricted || !listed(*entry, hidden)) {
            made[used++] = *entry;
            continue;
        }
        made[used++] = text;
        strcpy(text, HIDDEN);
        strcat(text, *entry);
        text += strlen(text) + 1;
    }
    made[used] = 0;
    return made;
}

/* Whatever the caller left open, blocked or ticking is not ours. */
static void clean_process(void)
{
    struct itimerval never = { { 0, 0 }, { 0, 0 } };
    sigset_t none;
    int fd;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, 0);
    setitimer(ITIMER_REAL, &never, 0);
    setitimer(ITIMER_VIRTUAL, &never, 0);
    setitimer(ITIMER_PROF, &never, 0);
#ifdef SYS_close_range
    if (!syscall(SYS_close_range, 3, ~0U, 0))
        return;
#endif
    for (fd = 3; fd < 4096; fd++)
        close(fd);
}

/* An interpreter does not start with a folder as one of its standard files. */
static int is_folder(int fd)
{
    struct stat found;

    return !fstat(fd, &found) && S_ISDIR(found.st_mode);
}

/* A closed descriptor must not become some file that the interpreter opens; to use it must be an error, as if it were closed. */
static void fill_descriptors(void)
{
    int fd, opened;

    for (fd = 0; fd < 3; fd++) {
        if (fcntl(fd, F_GETFD) != -1 && !was_closed[fd] && !is_folder(fd))
            continue;
        opened = open("/dev/null", fd == 1 && !is_queue() ? O_RDONLY : O_WRONLY);
        if (opened != -1 && opened != fd) {
            dup2(opened, fd);
            close(opened);
        }
    }
}

static void raise_limit(int which)
{
    struct rlimit limit;

    if (getrlimit(which, &limit) == -1 || limit.rlim_cur >= (rlim_t) ENOUGH)
        return;
    if (limit.rlim_max < (rlim_t) LEAST)
        die("the hard limit on memory is too small for an interpreter", "", ": softlimit or ulimit of at least 32000000 bytes is needed");
    limit.rlim_cur = limit.rlim_max;
    setrlimit(which, &limit);
}

static void check_descriptors(void)
{
    struct rlimit limit;

    if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < FEWEST)
        die("the limit on open descriptors is too small for an interpreter", "", "");
}

int main(int argc, char **argv, char **envp)
{
    char **arguments;
    struct work work;
    int i, used = 0, restricted;

    read_settings();
    restricted = is_queue() || getuid() != geteuid() || getgid() != getegid();
    if (restricted)
        clean_process();
    fill_descriptors();
    if (is_queue() || !restricted) {
        work = (struct work) { field[PROGRAM], field[TITLE], argc, argv, envp, is_queue() };
        pool_run(&work);
    }
    raise_limit(RLIMIT_AS);
    raise_limit(RLIMIT_DATA);
    check_descriptors();
    arguments = malloc((argc + 8) * sizeof *arguments);
    if (!arguments)
        die("out of memory", "", "");
    arguments[used++] = (char *) field[TITLE];
    arguments[used++] = "-I";
    arguments[used++] = "-S";
    arguments[used++] = (char *) field[SCRIPT];
    arguments[used++] = (char *) field[PROGRAM];
    arguments[used++] = argc > 0 && !restricted ? argv[0] : (char *) field[PROGRAM];
    if (!restricted)
        for (i = 1; i < argc; i++)
            arguments[used++] = argv[i];
    arguments[used] = 0;
    execve(field[INTERPRETER], arguments, environment(envp, restricted));
    die("unable to run ", field[INTERPRETER], errno == ENOENT ? ": it is gone; make setup takes another" : "");
    return 111;
}
