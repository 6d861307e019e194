"""Every control file, declared once.  Loading, qmail-showctl, the man pages' tables and the checks all read SETTINGS."""

from __future__ import annotations

from qmailpy.settings.kinds import Line, List, Map, Number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.settings.kinds import Kind

ME = object()  # a default: what control/me says

SMTPD, REMOTE, SEND, INJECT = "qmail-smtpd", "qmail-remote", "qmail-send", "qmail-inject"
QMTPD, QMQPC, LISTEN = "qmail-qmtpd", "qmail-qmqpc", "config"


class Setting:
    """One control file.

    kind     how it is read (settings/kinds.py)
    used_by  the programs that read it
    text     one sentence for the man page
    default  its value where the file is absent; ME: what control/me says
    literal  what counts where the default is ME and control/me is absent as well; None: nothing
    env      a variable that replaces the file
    shown    how qmail-showctl says it: (before the value, after it, the sentence for an absent list or line)
    """

    __slots__ = ("name", "kind", "used_by", "text", "default", "literal", "env", "shown")

    def __init__(self, name: str, kind: type[Kind], used_by: str | tuple[str, ...], text: str, *, default: object = None,
                 literal: object = None, env: str = "", shown: tuple[str, ...] = ()) -> None:
        self.name, self.kind, self.text = name, kind, text
        self.used_by = (used_by,) if isinstance(used_by, str) else used_by
        self.default, self.literal, self.env, self.shown = default, literal, env, shown


SETTINGS: dict[str, Setting] = {setting.name: setting for setting in (
    Setting("badmailfrom", List, SMTPD, "Senders that qmail-smtpd refuses: addresses, or @domain for a whole domain.",
            shown=("", " not accepted in MAIL FROM.", "Any MAIL FROM is allowed.")),
    Setting("bouncefrom", Line, SEND, "User name that bounces come from.", default=b"MAILER-DAEMON", shown=("Bounce user name is ", ".")),
    Setting("bouncehost", Line, SEND, "Host name that bounces come from.", default=ME, literal=b"bouncehost", shown=("Bounce host name is ", ".")),
    Setting("concurrencyincoming", Number, LISTEN, "Most SMTP sessions at once; read by the run scripts that start the listener.", default=20,
            shown=("Incoming concurrency is ", ".")),
    Setting("concurrencylocal", Number, SEND, "Most local deliveries at once.", default=10, shown=("Local concurrency is ", ".")),
    Setting("concurrencyremote", Number, SEND, "Most remote deliveries at once.", default=20, shown=("Remote concurrency is ", ".")),
    Setting("databytes", Number, (SMTPD, QMTPD, "qmail-qmqpd"), "Largest message in bytes that is taken from the network; 0: any.", env="DATABYTES",
            shown=("SMTP DATA limit is ", " bytes.")),
    Setting("defaultdomain", Line, INJECT, "Domain added to host names without a dot.", default=ME, literal=b"defaultdomain", env="QMAILDEFAULTDOMAIN",
            shown=("Default domain name is ", ".")),
    Setting("defaulthost", Line, INJECT, "Host added to addresses without one.", default=ME, literal=b"defaulthost", env="QMAILDEFAULTHOST",
            shown=("Default host name is ", ".")),
    Setting("doublebouncehost", Line, SEND, "Host that double bounces go to.", default=ME, literal=b"doublebouncehost", shown=("2B recipient host: ", ".")),
    Setting("doublebounceto", Line, SEND, "User that double bounces go to.", default=b"postmaster", shown=("2B recipient user: ", ".")),
    Setting("envnoathost", Line, SEND, "Host presumed for envelope recipients without an @.", default=ME, literal=b"envnoathost",
            shown=("Presumed domain name is ", ".")),
    Setting("helohost", Line, REMOTE, "Host name that is said in HELO.", default=ME, literal=None, shown=("SMTP client HELO host name is ", ".")),
    Setting("idhost", Line, INJECT, "Host name in Message-ID fields.", default=ME, literal=b"idhost", env="QMAILIDHOST", shown=("Message-ID host name is ", ".")),
    Setting("localiphost", Line, SMTPD, "Name put in the place of an [IP address] that is this host's.", default=ME,
            shown=("Local IP address becomes ", ".")),
    Setting("locals", List, SEND, "Domains delivered locally.", default=ME,
            shown=("Messages for ", " are delivered locally.", "Messages for me are delivered locally.")),
    Setting("me", Line, ("qmail-send", "all others"), "The name of this host; the default of many settings.", shown=("My name is ", ".")),
    Setting("morercpthosts", List, ("qmail-newmrh",), "Further rcpthosts, compiled into morercpthosts.cdb by qmail-newmrh.",
            shown=("SMTP clients may send messages to recipients at ", ".", "No effect.")),
    Setting("percenthack", List, SEND, "Domains where user%host@domain is rewritten to user@host.",
            shown=("The percent hack is allowed for user%host@", ".", "The percent hack is not allowed.")),
    Setting("plusdomain", Line, INJECT, "Domain added to host names that end with a plus sign.", default=ME, literal=b"plusdomain", env="QMAILPLUSDOMAIN",
            shown=("Plus domain name is ", ".")),
    Setting("qmqpservers", List, QMQPC, "Addresses of QMQP servers, tried in this order.", shown=("QMQP server: ", ".", "No QMQP servers.")),
    Setting("queuelifetime", Number, SEND, "Seconds that a message may stay in the queue.", default=604800,
            shown=("Message lifetime in the queue is ", " seconds.")),
    Setting("rcpthosts", List, (SMTPD, QMTPD), "Domains that mail is taken for from everybody; a name with a leading dot stands for what ends in it.",
            shown=("SMTP clients may send messages to recipients at ", ".", "SMTP clients may send messages to any recipient.")),
    Setting("smtpgreeting", Line, SMTPD, "What qmail-smtpd calls itself.", default=ME, shown=("SMTP greeting: 220 ", ".")),
    Setting("smtproutes", Map, REMOTE, "domain:relay or domain:relay:port: where mail for a domain goes, instead of where its MX records say.",
            shown=("SMTP route: ", "", "No artificial SMTP routes.")),
    Setting("timeoutconnect", Number, REMOTE, "Seconds to wait for a connection.", default=60, shown=("SMTP client connection timeout is ", " seconds.")),
    Setting("timeoutremote", Number, REMOTE, "Seconds to wait for each reply of the remote server.", default=1200,
            shown=("SMTP client data timeout is ", " seconds.")),
    Setting("timeoutsmtpd", Number, SMTPD, "Seconds to wait for each buffer of data from the client.", default=1200,
            shown=("SMTP server data timeout is ", " seconds.")),
    Setting("virtualdomains", Map, SEND, "user@domain:prepend or domain:prepend: addresses that belong to local users.",
            shown=("Virtual domain: ", "", "No virtual domains.")),
)}
