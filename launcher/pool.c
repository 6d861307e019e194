/*
 * The launcher's side of the resident pools (INTERNALS: Resident pools).
 *
 * A pool listens on HOME/run/servers/UID/socket or HOME/run/queue/socket. One message carries everything that it needs to work in
 * our place, our descriptors with it. Until a worker says that it has taken the work, whatever goes wrong means that we do it
 * ourselves, cold. After that, never: it may have begun.
 *
 * A worker commits itself by the message TAKEN. So before we give up waiting for it the connection is shut, and then either that
 * message is there already, or the worker cannot send it any more.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "pool.h"

#define VERSION "qmailpy 1"
#define BIGGEST (200 << 10) /* bytes of a request; what needs more is done cold */
#define DESCRIPTORS 8       /* 0 to 7 travel, if they are open, and those that variables name */
#define HIGHEST 200         /* a worker needs the numbers above for itself */
#define MOST 13             /* descriptors in one request: 8, 4 that are named, the folder */
#define SIGNALS 32          /* the ordinary ones are below */
#define LIMITS 16           /* resource limits of Linux */
#define PATIENCE 5000       /* milliseconds until a worker says that it has the work */
#define PAUSE 100           /* milliseconds until the next try at most; the first is made after a tenth */
#define WAITING 5000        /* milliseconds for which qmail-queue asks a busy pool again: a worker comes free sooner than many interpreters start */
#ifndef GREETING
#define GREETING 300        /* seconds that a client waits for a greeting (RFC 5321 section 4.5.3.2.1) */
#endif
#define ROOMY (48L << 20)   /* bytes of memory that qmail-smtpd takes at most, DNS and TLS and all */

enum { TAKEN = 'T', BUSY = 'B', EXIT = 'X' };
enum verdict { WORK_COLD, WORK_LATER, WORK_BUSY };

/* Programs that hold a message do not die of what terminals and limits send to whole groups. */
static const int shielded[] = { SIGPIPE, SIGVTALRM, SIGPROF, SIGQUIT, SIGINT, SIGHUP, SIGXCPU, SIGXFSZ, 0 };

/* Descriptors of those that speak TLS for us. */
static const char *const named[] = { "SSLCTLFD=", "SSLREADFD=", "SSLWRITEFD=", "ERROR_FD=", 0 };

/* What else the programs do of themselves when a signal comes: qmail-queue's time limit and its bugs, the time limit of QMTP and QMQP. */
static const int bugs[] = { SIGABRT, SIGILL, SIGFPE, SIGBUS, SIGSYS, 0 };

struct dispositions {
    struct sigaction actions[SIGNALS];
    sigset_t mask;
};

struct request {
    char *text;
    size_t size, room;
    int full;
    int fds[MOST], count;
};

static void add(struct request *request, const char *text)
{
    size_t length = strlen(text);

    if (request->full || length > request->room - request->size) {
        request->full = 1;
        return;
    }
    memcpy(request->text + request->size, text, length);
    request->size += length;
}

static void add_byte(struct request *request, char byte)
{
    char text[2] = { byte, 0 };

    if (byte) {
        add(request, text);
    } else if (request->size < request->room) {
        request->text[request->size++] = 0;
    } else {
        request->full = 1;
    }
}

static void add_field(struct request *request, const char *text)
{
    add(request, text);
    add_byte(request, 0);
}

static void add_number(struct request *request, unsigned long long number)
{
    char text[24], *at = text + sizeof text - 1;

    *at = 0;
    do
        *--at = '0' + number % 10;
    while (number /= 10);
    add(request, at);
    add_byte(request, ' ');
}

/* A descriptor that is open travels under its own number. */
static void add_descriptor(struct request *request, int fd)
{
    int i;

    if (fcntl(fd, F_GETFD) == -1)
        return;
    for (i = 0; i < request->count; i++)
        if (request->fds[i] == fd)
            return;
    request->fds[request->count++] = fd;
    add_number(request, fd);
}

static void add_descriptors(struct request *request, const struct work *work)
{
    const char *const *name;
    char **entry, *end;
    long fd;

    for (fd = 0; fd < (work->queue ? 2 : DESCRIPTORS); fd++)
        add_descriptor(request, fd);
    if (work->queue)
        return;
    for (name = named; *name; name++)
        for (entry = work->envp; *entry; entry++) {
            if (strncmp(*entry, *name, strlen(*name)))
                continue;
            fd = strtol(*entry + strlen(*name), &end, 10);
            if (*end || end == *entry + strlen(*name) || fd < DESCRIPTORS)
                break;
            if (fd >= HIGHEST)
                request->full = 1;
            else
                add_descriptor(request, fd);
            break; /* of two variables with one name the first counts */
        }
}

/* The signals that we were told to ignore, as bits. */
static void add_ignored(struct request *request)
{
    struct sigaction found;
    unsigned long long bits = 0;
    int number;

    for (number = 1; number < SIGNALS; number++)
        if (!sigaction(number, 0, &found) && found.sa_handler == SIG_IGN)
            bits |= 1ULL << number;
    add_number(request, bits);
}

/* Where we live: the root folder, the namespaces, and whether programs may gain privileges. The worker compares it with its own. */
static void add_place(struct request *request)
{
    static const char *const spaces[] = { "/proc/self/ns/mnt", "/proc/self/ns/net", "/proc/self/ns/pid", "/proc/self/ns/user", 0 };
    const char *const *space;
    struct stat found;

    memset(&found, 0, sizeof found);
    stat("/", &found);
    add_number(request, found.st_dev);
    add_number(request, found.st_ino);
    for (space = spaces; *space; space++) {
        if (stat(*space, &found) == -1)
            found.st_ino = 0;
        add_number(request, found.st_ino);
    }
    add_number(request, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
}

static void add_limit(struct request *request, rlim_t value)
{
    if (value == RLIM_INFINITY)
        add(request, "- ");
    else
        add_number(request, value);
}

/* As a cold start would leave them: small soft limits on memory are raised. */
static void add_limits(struct request *request)
{
    struct rlimit limit;
    int which;

    for (which = 0; which < LIMITS; which++) {
        if (getrlimit(which, &limit) == -1)
            limit.rlim_cur = limit.rlim_max = RLIM_INFINITY;
        if ((which == RLIMIT_AS || which == RLIMIT_DATA) && limit.rlim_cur < (rlim_t) ENOUGH)
            limit.rlim_cur = limit.rlim_max;
        add_limit(request, limit.rlim_cur);
        add_limit(request, limit.rlim_max);
    }
}

/* text/poolwire.py has the other side of this. */
static void compose(struct request *request, const struct work *work)
{
    mode_t mask = umask(0);
    char **entry;
    int i;

    umask(mask);
    add_field(request, VERSION);
    add_field(request, work->program);
    add_descriptors(request, work);
    add_byte(request, 0);
    add_field(request, work->queue ? "w" : "wd");
    add_number(request, work->queue ? 0 : mask);
    add_byte(request, 0);
    add_ignored(request);
    add_byte(request, 0);
    add_place(request);
    add_byte(request, 0);
    add_limits(request);
    add_byte(request, 0);
    add_number(request, work->queue ? 0 : work->argc);
    add_byte(request, 0);
    for (i = 0; !work->queue && i < work->argc; i++)
        add_field(request, work->argv[i]);
    for (entry = work->envp; *entry; entry++)
        if (!work->queue || is_trusted(*entry))
            add_field(request, *entry);
}

static int send_request(int connection, struct request *request, int folder)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(MOST * sizeof(int))];
    } control;
    struct iovec part = { request->text, request->size };
    struct msghdr message;
    int fds[MOST], count = request->count;

    memcpy(fds, request->fds, count * sizeof(int));
    if (folder != -1)
        fds[count++] = folder;
    memset(&message, 0, sizeof message);
    memset(&control, 0, sizeof control);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type = SCM_RIGHTS;
    control.head.cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(&control.head), fds, count * sizeof(int));
    return sendmsg(connection, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t) request->size;
}

/* Whether he who listens is one of those that could have started a pool for us: we ourselves, root, the owner of the home. */
static int is_pool(int connection, uid_t mine)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    struct stat home;

    if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == -1)
        return 0;
    return peer.uid == mine || !peer.uid || (!stat(".", &home) && peer.uid == home.st_uid);
}

/* The socket's name below the home: the home itself may be deeper than an address can tell. */
static void name_socket(struct sockaddr_un *address, const struct work *work)
{
    struct request name = { address->sun_path, 0, sizeof address->sun_path - 1, 0, { 0 }, 0 };

    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (work->queue) {
        add(&name, "run/queue/socket");
        return;
    }
    add(&name, "run/servers/");
    add_number(&name, geteuid());
    name.size--; /* the blank */
    add(&name, "/socket");
}

/* HOME, with `rest` behind it; 0 if it is too long. */
static const char *below_home(const struct work *work, const char *rest)
{
    static char path[4096];
    const char *end = strstr(work->title + strlen(work->title) - strlen(work->program) - 5, "/bin/");
    size_t length = end ? (size_t) (end - work->title) : 0;

    if (!end || length + strlen(rest) >= sizeof path)
        return 0;
    memcpy(path, work->title, length);
    strcpy(path + length, rest);
    return path;
}

static int enter_home(const struct work *work)
{
    const char *home = below_home(work, "");

    return home && !chdir(home);
}

/* Whether there may be a pool at all. Where there are none, that is all that it costs to ask. */
static int has_socket(const struct work *work)
{
    struct sockaddr_un address;
    char name[1 + sizeof address.sun_path] = "/";
    const char *path;
    struct stat found;

    name_socket(&address, work);
    path = below_home(work, strcat(name, address.sun_path));
    return path && !stat(path, &found);
}

/* A connection to the pool; -1: there is none. It sees the uid of whoever has called us. */
static int reach(const struct work *work, int *full)
{
    struct sockaddr_un address;
    uid_t mine = geteuid();
    gid_t group = getegid();
    int connection, done, problem;

    connection = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection == -1)
        return -1;
    name_socket(&address, work);
    if (work->queue && (setegid(getgid()) == -1 || seteuid(getuid()) == -1))
        _exit(111);
    done = connect(connection, (struct sockaddr *) &address, sizeof address);
    problem = errno;
    if (work->queue && (seteuid(mine) == -1 || setegid(group) == -1))
        _exit(111);
    if (!done && is_pool(connection, mine))
        return connection;
    *full = done == -1 && problem == EAGAIN;
    close(connection);
    return -1;
}

/* The next word of the worker, in `text` of `size` bytes; its length, 0 at the end, -1 if there is none in time. */
static int hear(int connection, char *text, size_t size, int patience)
{
    struct pollfd wanted = { connection, POLLIN, 0 };
    int count;

    do {
        count = poll(&wanted, 1, patience);
        if (count == 1)
            count = recv(connection, text, size, 0);
        else if (!count)
            return -1;
    } while (count == -1 && (errno == EINTR || errno == EAGAIN));
    return count > 0 ? count : 0;
}

static void leave_late(int number)
{
    (void) number;
    _exit(111);
}

static void leave_queue_late(int number)
{
    (void) number;
    _exit(52);
}

static void leave_bug(int number)
{
    (void) number;
    _exit(81);
}

/* From before the work can begin, as the program does. What was is kept for a cold start. */
static void handle_signals(const struct work *work, struct dispositions *old)
{
    sigset_t none;
    int i;

    for (i = 1; i < SIGNALS; i++)
        sigaction(i, 0, &old->actions[i]);
    for (i = 0; shielded[i]; i++)
        signal(shielded[i], SIG_IGN);
    for (i = 0; work->queue && bugs[i]; i++)
        signal(bugs[i], leave_bug);
    if (work->queue)
        signal(SIGALRM, leave_queue_late);
    else if (strcmp(work->program, "qmail-smtpd"))
        signal(SIGALRM, leave_late);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, &old->mask);
}

static void restore_signals(const struct dispositions *old)
{
    int i;

    for (i = 1; i < SIGNALS; i++)
        sigaction(i, &old->actions[i], 0);
    sigprocmask(SIG_SETMASK, &old->mask, 0);
}

/* The work is the pool's. We are there for those who wait for us, or want to end us. */
static void wait_for_end(int connection, const struct work *work, struct request *request)
{
    char word[16];
    int i, status = work->queue ? 81 : 111;

    for (i = 0; i < request->count; i++)
        close(request->fds[i]);
    munmap(request->text, BIGGEST);
    if (hear(connection, word, sizeof word, -1) == 2 && word[0] == EXIT)
        status = (unsigned char) word[1];
    _exit(status);
}

/* One try. Returns if the pool has not taken the work. */
static enum verdict ask(const struct work *work, struct request *request, int folder)
{
    char word[16];
    int full = 0, connection = reach(work, &full), heard;

    if (connection == -1)
        return full ? WORK_BUSY : WORK_COLD;
    /* If it has gone, what it has said before can be read all the same. */
    heard = hear(connection, word, sizeof word, send_request(connection, request, folder) ? PATIENCE : 0);
    if (heard == -1) {
        shutdown(connection, SHUT_RDWR);
        heard = recv(connection, word, sizeof word, MSG_DONTWAIT);
        if (heard > 0 && word[0] == TAKEN)
            _exit(work->queue ? 81 : 111); /* too late: it has begun, and our own shutting has ended it */
        heard = -1;
    }
    if (heard > 0 && word[0] == TAKEN) {
        if (folder != -1)
            close(folder);
        wait_for_end(connection, work, request);
    }
    close(connection);
    if (heard > 0)
        return word[0] == BUSY ? WORK_BUSY : WORK_COLD;
    return WORK_LATER;
}

/* Whether a cold start cannot fit below the hard limits: then there is nothing but to wait for the pool. */
static int is_narrow(const struct work *work)
{
    static const int which[] = { RLIMIT_AS, RLIMIT_DATA };
    rlim_t least = strcmp(work->program, "qmail-smtpd") ? LEAST : ROOMY;
    struct rlimit limit;
    int i;

    for (i = 0; i < 2; i++)
        if (!getrlimit(which[i], &limit) && limit.rlim_max < least)
            return 1;
    return 0;
}

/* Milliseconds for which a pool is asked again. */
static long patience(const struct work *work, enum verdict verdict)
{
    if (verdict != WORK_COLD && is_narrow(work))
        return GREETING * 1000L;
    return work->queue && verdict == WORK_BUSY ? WAITING : 0;
}

static long since(const struct timespec *begun)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - begun->tv_sec) * 1000L + (now.tv_nsec - begun->tv_nsec) / 1000000L;
}

static void ask_often(const struct work *work, struct request *request, int folder)
{
    struct timespec begun, pause = { 0, PAUSE * 100000L };
    enum verdict verdict;

    clock_gettime(CLOCK_MONOTONIC, &begun);
    for (;;) {
        verdict = ask(work, request, folder);
        if (since(&begun) >= patience(work, verdict))
            return;
        nanosleep(&pause, 0);
        if (pause.tv_nsec < PAUSE * 1000000L)
            pause.tv_nsec *= 2;
    }
}

void pool_run(const struct work *work)
{
    struct request request = { 0, 0, BIGGEST, 0, { 0 }, 0 };
    struct dispositions old;
    int folder = -1;

    if (!work->queue && strcmp(work->program, "qmail-smtpd") && strcmp(work->program, "qmail-qmtpd") && strcmp(work->program, "qmail-qmqpd"))
        return;
    if (!has_socket(work))
        return;
    request.text = mmap(0, BIGGEST, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (request.text == MAP_FAILED)
        return;
    compose(&request, work);
    if (!work->queue) {
        /* We must be able to come back: a cold start is to find the folder that it was started in. qmail-queue looks at none. */
        folder = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (folder == -1 || fchdir(folder) == -1)
            request.full = 1;
    }
    if (!request.full && enter_home(work)) {
        handle_signals(work, &old);
        ask_often(work, &request, folder);
        restore_signals(&old);
        if (folder != -1 && fchdir(folder) == -1)
            _exit(111);
    }
    if (folder != -1)
        close(folder);
    munmap(request.text, BIGGEST);
}
