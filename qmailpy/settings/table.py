"""Every control file, declared once.  Loading, qmail-showctl, the man pages' tables and the checks all read SETTINGS.

VARIABLES are those that an administrator sets for programs and that belong to no control file.
"""

from __future__ import annotations

from qmailpy.settings.kinds import Flag, Line, List, Map, Names, Number, Patterns, Pem, Routes, Secret, Sizes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from qmailpy.settings.kinds import Kind

ME = object()  # a default: what control/me says

SMTPD, REMOTE, SEND, INJECT = "qmail-smtpd", "qmail-remote", "qmail-send", "qmail-inject"
QMTPD, QMQPD, QMQPC, POPUP, LISTEN, LOCAL = "qmail-qmtpd", "qmail-qmqpd", "qmail-qmqpc", "qmail-popup", "config", "qmail-local"
QUEUE, RSPAWN, IPMEPRINT, IPMETEST = "qmail-queue", "qmail-rspawn", "ipmeprint", "ipmetest"
START, POOL = "qmail-start", "qmail-pool"


class Setting:
    """One control file.

    kind     how it is read (settings/kinds.py)
    used_by  the programs that read it
    text     one sentence for the man page
    default  its value where the file is absent; ME: what control/me says
    literal  what counts where the default is ME and control/me is absent as well; None: nothing
    env      a variable that replaces the file
    off      a variable that, if it exists, switches the setting off
    zero     a variable that switches the setting off if it is 0 or no number
    shown    how qmail-showctl says it: (before the value, after it, the sentence for an absent list, line or PEM file);
             of a flag: (the sentence if it is set, the sentence if not)
    """

    __slots__ = ("name", "kind", "used_by", "text", "default", "literal", "env", "off", "zero", "shown")

    def __init__(self, name: str, kind: type[Kind], used_by: str | tuple[str, ...], text: str, *, default: object = None,
                 literal: object = None, env: str = "", off: str = "", zero: str = "", shown: tuple[str, ...] = ()) -> None:
        self.name, self.kind, self.text = name, kind, text
        self.used_by = (used_by,) if isinstance(used_by, str) else used_by
        self.default, self.literal, self.env, self.off, self.zero, self.shown = default, literal, env, off, zero, shown


def sides(name: str, kind: type[Kind], text: str, *, off: str = "", env: str = "", shown: tuple[str, ...]) -> Iterator[Setting]:
    """The two settings of a check that tells strangers (NAMEext) from relay clients (NAMEint); {} in a text stands for who is meant."""
    for end, who in (("ext", "strangers"), ("int", "relay clients")):
        yield Setting(name + end, kind, SMTPD, sentence(text.format(who)), off=off and off + end.upper(), env=env and env + end.upper(),
                      shown=tuple(sentence(words.format(who)) for words in shown))


def sentence(text: str) -> str:
    """The text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


SETTINGS: dict[str, Setting] = {setting.name: setting for setting in (
    Setting("badmailfrom", Names, SMTPD, "Senders that are refused, one a line: addresses, or @host for every address at a host.",
            shown=("", " not accepted in MAIL FROM.", "Any MAIL FROM is allowed.")),
    Setting("bouncefrom", Line, SEND, "User name of the author of bounces.", default=b"MAILER-DAEMON", shown=("Bounce user name is ", ".")),
    Setting("bouncehost", Line, SEND, "Host name of the author of bounces.", default=ME, literal=b"bouncehost", shown=("Bounce host name is ", ".")),
    Setting("concurrencyincoming", Number, LISTEN, "Most SMTP sessions at once; read by the run scripts that start the listener.", default=20,
            shown=("Incoming concurrency is ", ".")),
    Setting("concurrencylocal", Number, SEND,
            "Most local deliveries at once; 0 stops local delivery. The limit that was set at installation holds in any case.", default=10,
            shown=("Local concurrency is ", ".")),
    Setting("concurrencyremote", Number, SEND,
            "Most remote deliveries at once; 0 stops remote delivery. The limit that was set at installation holds in any case.", default=20,
            shown=("Remote concurrency is ", ".")),
    Setting("databytes", Number, (SMTPD, QMTPD), "Most bytes that a message from the network may have; 0: any number.", env="DATABYTES",
            shown=("SMTP DATA limit is ", " bytes.")),
    Setting("defaultdomain", Line, INJECT, "Domain that is added to host names without a dot.", default=ME, literal=b"defaultdomain",
            env="QMAILDEFAULTDOMAIN", shown=("Default domain name is ", ".")),
    Setting("defaulthost", Line, INJECT, "Host that is added to addresses without one; it may be a domain rather than this host.", default=ME,
            literal=b"defaulthost", env="QMAILDEFAULTHOST", shown=("Default host name is ", ".")),
    Setting("doublebouncehost", Line, SEND, "Host that double bounces go to.", default=ME, literal=b"doublebouncehost", shown=("2B recipient host: ", ".")),
    Setting("doublebounceto", Line, SEND, "User that double bounces go to.", default=b"postmaster", shown=("2B recipient user: ", ".")),
    Setting("envnoathost", Line, (SEND, SMTPD, QMTPD), "Host presumed for envelope recipients without an @.", default=ME, literal=b"envnoathost",
            shown=("Presumed domain name is ", ".")),
    Setting("helohost", Line, (REMOTE, SMTPD), "Name that is said in HELO. Without it and without me no mail is sent.", default=ME,
            shown=("SMTP client HELO host name is ", ".")),
    Setting("idhost", Line, INJECT, "Host name in Message-ID fields; no two hosts may use the same.", default=ME, literal=b"idhost", env="QMAILIDHOST",
            shown=("Message-ID host name is ", ".")),
    Setting("localiphost", Line, SMTPD, "Host name that takes the place of this host's [IP address] in recipient addresses.", default=ME,
            shown=("Local IP address becomes ", ".")),
    Setting("locals", Names, (SEND, SMTPD, QMTPD),
            "Domains whose mail is delivered here, one a line. Without it and without me qmail-send does not start.", default=ME,
            shown=("Messages for ", " are delivered locally.", "Messages for me are delivered locally.")),
    Setting("me", Line, (INJECT, REMOTE, SEND, SMTPD), "The full name of this host; the default of many settings.",
            shown=("My name is ", ".", "My name is undefined! Uh-oh.")),
    Setting("morercpthosts", List, "qmail-newmrh", "Further entries for rcpthosts; they count once qmail-newmrh has compiled them into morercpthosts.cdb.",
            shown=("SMTP clients may send messages to recipients at ", ".", "No effect.")),
    Setting("percenthack", Names, (SEND, SMTPD, QMTPD), "Domains where user%host@domain means user@host, one a line.",
            shown=("The percent hack is allowed for user%host@", ".", "The percent hack is not allowed.")),
    Setting("plusdomain", Line, INJECT, "Domain that takes the place of a plus sign at the end of a host name.", default=ME, literal=b"plusdomain",
            env="QMAILPLUSDOMAIN", shown=("Plus domain name is ", ".")),
    Setting("qmqpservers", List, QMQPC, "IP addresses of QMQP servers, one a line, tried in this order.", shown=("QMQP server: ", ".", "No QMQP servers.")),
    Setting("qmtproutes", Map, REMOTE,
            "domain:relay or domain:relay:port, one a line: where mail for a domain goes by QMTP; before smtproutes where both have the same "
            "domain. If the file exists, though it be empty, mail exchangers whose preference says so are tried by QMTP first.",
            shown=("QMTP route: ", "", "No artificial QMTP routes.")),
    Setting("queuelifetime", Number, SEND, "Seconds that a message may wait in the queue; after that, one more failure makes it bounce.", default=604800,
            shown=("Message lifetime in the queue is ", " seconds.")),
    Setting("rcpthosts", Names, (SMTPD, QMTPD),
            "Domains that mail from strangers is taken for, one a line; .domain stands for every name below domain. Without the file, all.",
            shown=("SMTP clients may send messages to recipients at ", ".", "SMTP clients may send messages to any recipient.")),
    Setting("smtpgreeting", Line, SMTPD, "What the server calls itself; the first word is to be its name. Without it and without me it does not serve.",
            default=ME, shown=("SMTP greeting: 220 ", ".")),
    Setting("smtproutes", Routes, REMOTE,
            "domain:relay or domain:relay:port, one a line: where mail for a domain goes, whatever its MX records say. .domain stands for every name "
            "below it, an empty domain for all; with an empty relay the MX records count. Several relays, with commas between them, are tried in turn. "
            "Behind them may stand, after blanks, a user name and a password for them.",
            shown=("SMTP route: ", "", "No artificial SMTP routes.")),
    Setting("timeoutconnect", Number, REMOTE, "Seconds to wait for a connection to a server.", default=60,
            shown=("SMTP client connection timeout is ", " seconds.")),
    Setting("timeoutremote", Number, REMOTE, "Seconds to wait for each answer of a server.", default=1200,
            shown=("SMTP client data timeout is ", " seconds.")),
    Setting("timeoutsmtpd", Number, SMTPD, "Seconds to wait for each block of data from the client.", default=1200,
            shown=("SMTP server data timeout is ", " seconds.")),
    Setting("virtualdomains", Map, (SEND, SMTPD, QMTPD),
            "user@domain:prepend or domain:prepend, one a line: an address there becomes the local address prepend-address. .domain stands for every "
            "name below it, an empty domain for all; an empty prepend makes an exception.",
            shown=("Virtual domain: ", "", "No virtual domains.")),

    # What the "all in one" patch added.
    Setting("antispoofing", List, SMTPD,
            "address: network ... or domain: network ..., one a line: senders that may only come from these networks, each written as address/mask.",
            off="NOANTISPOOFING", shown=("Sender and its networks: ", ".", "Any sender may come from any network.")),
    Setting("authfaildelay", Number, SMTPD, "Seconds to wait before a wrong password is refused.", default=5, env="AUTHFAILDELAY",
            shown=("A wrong password is refused after ", " seconds.")),
    *sides("badhelo", Patterns, "Regular expressions, one a line: {} whose HELO name one of them fits are refused at RCPT.", off="NOBADHELO",
           shown=("HELO name pattern not accepted from {}: ", "", "Any HELO name is accepted from {}.")),
    *sides("badmailfrom", Patterns, "Regular expressions, one a line: senders that one of them fits are refused from {}, at RCPT.", off="NOBADMAILFROM",
           shown=("Sender pattern not accepted from {}: ", "", "Any sender is accepted from {}.")),
    *sides("badmailto", Patterns, "Regular expressions, one a line: recipients that one of them fits are refused from {}.", off="NOBADMAILTO",
           shown=("Recipient pattern not accepted from {}: ", "", "Any recipient is accepted from {}.")),
    *sides("badrmhost", Patterns, "Regular expressions, one a line: {} whose host name one of them fits are refused at RCPT.", off="NOBADRMHOST",
           shown=("Host name pattern not accepted from {}: ", "", "{} may have any host name.")),
    Setting("bindroutes", Map, REMOTE,
            "prefix:address, one a line: the local address for connections to destinations whose IPv4 address begins with prefix, which ends with a dot "
            "unless it is a whole address; an empty prefix stands for all, an empty address bans the destination.",
            shown=("Local address by destination: ", "", "No local addresses by destination.")),
    Setting("bouncemaxbytes", Number, SEND, "Most bytes of a message that are copied into its bounce; 0: all.", default=50000,
            shown=("Bounces contain at most ", " bytes of a message.")),
    Setting("clamd", Line, SMTPD, "address:port of the clamd that looks for viruses in every message; [address]:port for IPv6.", off="NOCLAMD",
            shown=("Messages are checked by the clamd at ", ".", "Messages are not checked for viruses.")),
    Setting("clamdfailreject", Flag, SMTPD, "If set, messages that clamd cannot check are refused for now; else they are taken.", env="CLAMDFAILREJECT",
            shown=("Messages that clamd cannot check are refused for now.", "Messages that clamd cannot check are taken.")),
    Setting("clientca.pem", Pem, SMTPD, "Certificates of the authorities that client certificates are verified with.",
            shown=("Authorities for client certificates: ", "", "Clients are not asked for certificates.")),
    Setting("clientcert.pem", Pem, REMOTE, "Certificate and key that servers are shown if they ask.",
            shown=("Certificate for servers that ask: ", "", "Servers are shown no certificate.")),
    Setting("clientcrl.pem", Pem, SMTPD, "Revocation lists of the authorities in clientca.pem.",
            shown=("Revocation lists: ", "", "Client certificates are not checked for revocation.")),
    Setting("databeforegreet", Flag, SMTPD, "If set, clients that talk before the greeting are refused.", env="DATABEFOREGREET",
            shown=("Clients must wait for the greeting.", "Clients need not wait for the greeting.")),
    Setting("databytesmf", Sizes, SMTPD,
            "address:bytes or @domain:bytes, one a line: the largest message by its sender, in the place of databytes; an empty key stands for the empty "
            "sender; 0: any size.",
            zero="DATABYTESMF", shown=("Limit by sender: ", "", "No limits by sender.")),
    Setting("databytesrcpt", Sizes, SMTPD,
            "address:bytes or @domain:bytes, one a line: the largest message by its recipient, in the place of databytes; 0: any size.",
            zero="DATABYTESRCPT", shown=("Limit by recipient: ", "", "No limits by recipient.")),
    Setting("dh1024.pem", Pem, (SMTPD, POPUP),
            "Parameters for DHE key exchange; used if they have 2048 bits or more, or if tlsserverciphers lowers the security level.",
            shown=("DH parameters: ", "", "No file of DH parameters of this name.")),
    Setting("dh2048.pem", Pem, (SMTPD, POPUP), "Parameters for DHE key exchange; before dh1024.pem.",
            shown=("DH parameters: ", "", "No file of DH parameters of this name.")),
    Setting("dh512.pem", Pem, (SMTPD, POPUP), "Ignored: such parameters are too weak.", shown=("Ignored: ", "", "Not needed.")),
    Setting("extraqueue", List, QUEUE, "Further recipients of every message, one a line.",
            shown=("Every message also goes to ", ".", "No further recipients.")),
    Setting("extraremote", Flag, RSPAWN, "If set, qmail-remote.extra is run in the place of qmail-remote.",
            shown=("qmail-remote.extra is run for remote deliveries.", "qmail-remote is run for remote deliveries.")),
    Setting("greetdelay", Number, SMTPD, "Seconds to wait before the greeting.", env="GREETDELAY", shown=("Greeting delay is ", " seconds.")),
    Setting("helodelay", Number, SMTPD, "Seconds to wait before each reply to HELO and EHLO.", env="HELODELAY", shown=("HELO delay is ", " seconds.")),
    *sides("helodnschk", Flag, "If set, {} must give a name in HELO that is in the DNS, else they are refused at RCPT.", env="HELODNSCHK",
           shown=("The HELO name of {} must be in the DNS.", "The HELO name of {} is not looked up.")),
    Setting("maxrecipients", Number, SMTPD, "Most recipients of one message; 0: any number.", default=100, env="MAXRECIPIENTS",
            shown=("Recipients of one message: at most ", ".")),
    Setting("mfcheck", Number, SMTPD, "1: the sender's domain must be in the DNS; 2: and a mail exchanger of it must accept mail for the sender.",
            env="MFCHECK", shown=("Sender check: ", ".")),
    Setting("mfdelay", Number, SMTPD, "Seconds to wait before each reply to MAIL.", env="MFDELAY", shown=("MAIL delay is ", " seconds.")),
    Setting("moreipme", List, (SMTPD, REMOTE, IPMEPRINT, IPMETEST), "Further IP addresses of this host, address or address/mask, one a line.",
            shown=("Own address: ", "", "No further addresses.")),
    Setting("nosignhosts", Names, (SMTPD, REMOTE),
            "Domains, one a line: mail for them is sent with an unsigned sender, and bounces from them are taken unsigned.",
            shown=("Senders are not signed for recipients at ", ".", "No recipient domains without signing.")),
    Setting("nosignmydoms", Names, (SMTPD, REMOTE), "Own domains, one a line, whose senders are not signed and whose bounces are taken unsigned.",
            shown=("Senders at ", " are not signed.", "No sender domains without signing.")),
    Setting("notipme", List, (SMTPD, REMOTE, IPMEPRINT, IPMETEST), "IP addresses that are not this host's, though an interface or moreipme says so.",
            shown=("Not an own address: ", "", "No addresses are taken out.")),
    Setting("originipfield", Flag, QUEUE, "If set, messages from relay clients get a field X-Originating-IP.", env="ORIGINIPFIELD",
            shown=("Messages from relay clients get a field X-Originating-IP.", "Messages do not tell their origin in X-Originating-IP.")),
    Setting("outgoingip", Line, REMOTE, "IPv4 address that connections are made from, where neither senderip nor bindroutes names one.",
            shown=("Outgoing address is ", ".", "The system chooses the outgoing address.")),
    Setting("poolparking", Number, POOL,
            "Milliseconds that a session of qmail-smtpd which waits for a command, in clear and silent, keeps its warm process; then it waits elsewhere, "
            "until the client goes on.  0: it always keeps it.", default=250, shown=("Silent sessions keep their warm process for ", " milliseconds.")),
    Setting("poolqueue", Number, (START, POOL), "Most processes that are kept warm for qmail-queue; 0: none.", default=20,
            shown=("Warm processes for qmail-queue: at most ", ".")),
    Setting("poolservers", Number, (START, POOL), "Most processes that are kept warm for qmail-smtpd, qmail-qmtpd and qmail-qmqpd; 0: none.", default=40,
            shown=("Warm processes for servers: at most ", ".")),
    Setting("rcptdelay", Number, SMTPD, "Seconds to wait before each reply to RCPT.", env="RCPTDELAY", shown=("RCPT delay is ", " seconds.")),
    Setting("recipientchk", Number, (SMTPD, QMTPD),
            "1: recipients here must have an account or a .qmail file; 2: recipients must be in one of the cdb files that recipients names.",
            env="RECIPIENTCHK", shown=("Recipient check: ", ".")),
    Setting("recipientchkdelay", Number, SMTPD, "Seconds to wait before a recipient is refused that recipientchk did not find.", env="RECIPIENTCHKDELAY",
            shown=("Delay for recipients that are not found is ", " seconds.")),
    Setting("recipients", List, (SMTPD, QMTPD), "cdb files of recipients, below the home, one a line; qmail-recipients makes users/recipients.cdb.",
            shown=("Recipients are in ", ".", "No recipients files.")),
    Setting("rsa512.pem", Pem, (SMTPD, POPUP), "Ignored: such keys are too weak.", shown=("Ignored: ", "", "Not needed.")),
    *sides("secauth", Flag, "If set, {} can authenticate only within TLS.", env="SECAUTH",
           shown=("{} can authenticate only within TLS.", "{} can authenticate in clear.")),
    Setting("secauthremote", Flag, REMOTE, "If set, the passwords of smtproutes are sent only within TLS.",
            shown=("Passwords are sent to relays only within TLS.", "Passwords are sent to relays in clear, too.")),
    Setting("senderip", Map, REMOTE, "domain:address, one a line: the local address for connections with mail from senders at that domain.",
            shown=("Local address by sender: ", "", "No local addresses by sender.")),
    Setting("servercert.pem", Pem, (SMTPD, POPUP), "Certificate chain and private key of the server; without it there is no TLS.",
            shown=("Server certificate: ", "", "No server certificate, and so no TLS.")),
    Setting("signkey", Secret, (SMTPD, REMOTE), "Key that envelope senders are signed with; it must stay secret.",
            shown=("Envelope senders are signed with a key: ", "", "Envelope senders are not signed.")),
    Setting("signkeystale", Number, SMTPD, "Days for which a signed sender is good.", default=7, shown=("Signed senders are good for ", " days.")),
    Setting("straightfallback", Flag, REMOTE, "If set, the next relay of a route in smtproutes is tried after a temporary refusal, too.",
            shown=("The next relay is tried after a temporary refusal, too.", "The next relay is tried only if there is no connection.")),
    Setting("tarpitcount", Number, SMTPD, "From this recipient of a message on, each one takes tarpitdelay seconds more; 0: none does.", env="TARPITCOUNT",
            shown=("Tarpit count is ", ".")),
    Setting("tarpitdelay", Number, SMTPD, "Seconds for tarpitcount.", default=5, env="TARPITDELAY", shown=("Tarpit delay is ", " seconds.")),
    Setting("timeoutclamd", Number, SMTPD, "Seconds to wait for each answer of clamd.", default=60, shown=("clamd timeout is ", " seconds.")),
    Setting("timeoutmfcheck", Number, SMTPD, "Seconds to wait for each answer when mfcheck asks a mail exchanger.", default=60,
            shown=("Sender check timeout is ", " seconds.")),
    Setting("tlsclientciphers", List, REMOTE, "OpenSSL's words for the ciphers that may be used with servers; lines are joined.",
            shown=("Cipher for servers: ", "", "OpenSSL's usual ciphers for servers.")),
    Setting("tlsclients", Names, SMTPD, "E-mail addresses, one a line: clients whose verified certificate bears one of them may relay.",
            shown=("The bearer of a certificate for ", " may relay.", "Nobody may relay by certificate.")),
    Setting("tlsremote", Flag, REMOTE, "If set, TLS is used with servers that offer it.",
            shown=("TLS is used with servers that offer it.", "TLS is used only with servers that have a file in tlshosts.")),
    Setting("tlsserverciphers", List, (SMTPD, POPUP), "OpenSSL's words for the ciphers that clients may use; lines are joined.", env="TLSCIPHERS",
            shown=("Cipher for clients: ", "", "OpenSSL's usual ciphers for clients.")),
    *sides("tlssmtp", Flag, "If set, {} are offered STARTTLS.", env="TLSSMTP", shown=("{} are offered STARTTLS.", "{} are not offered STARTTLS.")),

    # What keeps sessions and deliveries within bounds.
    Setting("maxcommands", Number, SMTPD, "Most commands of one session; 0: any number.", default=1000000, env="MAXCOMMANDS",
            shown=("Commands of one session: at most ", ".")),
    Setting("maxerrors", Number, SMTPD,
            "Most commands and messages of one session that are refused for good without a message between them that is accepted; 0: any number.",
            default=1000, env="MAXERRORS", shown=("Refusals in one session: at most ", ".")),
    Setting("maxline", Number, SMTPD, "Most bytes of a command; less than 1000 counts as 1000.", default=12288,
            shown=("Bytes of a command: at most ", ".")),
    Setting("timeoutdelivery", Number, (LOCAL, REMOTE),
            "Seconds that a program in a .qmail file, or the delivery to one remote host, may take before it is given up for now; 0: any number.",
            default=86400, shown=("Deliveries take at most ", " seconds.")),
    Setting("timeoutqmtpd", Number, (QMTPD, QMQPD), "Seconds that a connection by QMTP or QMQP may take, silence included.", default=3600,
            shown=("Connections by QMTP and QMQP take at most ", " seconds.")),
    Setting("timeoutsession", Number, SMTPD, "Seconds that a session may take; 0: any number.", default=86400, env="TIMEOUTSESSION",
            shown=("SMTP sessions take at most ", " seconds.")),
)}


class Variable:
    """A variable of the environment: its name, the programs that look at it, one sentence for the man page."""

    __slots__ = ("name", "used_by", "text")

    def __init__(self, name: str, used_by: str | tuple[str, ...], text: str) -> None:
        self.name, self.text = name, text
        self.used_by = (used_by,) if isinstance(used_by, str) else used_by


VARIABLES: dict[str, Variable] = {variable.name: variable for variable in (
    Variable("DNSCACHEIP", (REMOTE, SMTPD, "qmail-tcpserver", "tcp-env", "dnsfq", "dnsip", "dnsmxip", "dnsptr", "config"),
             "Name server to ask, as address, address:port or [address]:port, in the place of those in /etc/resolv.conf."),
    Variable("IPMETEST_HERE", IPMETEST, "If it is set, the folder control below the working folder counts, not that of the home."),
    Variable("LOGREGEX", SMTPD, "If it is set, the log says which regular expression a refused name or address has hit."),
    Variable("QMAILQUEUE", (SMTPD, QMTPD, QMQPD, INJECT, LOCAL, SEND, "forward", "condredirect", "qreceipt"),
             "Program that is run in the place of qmail-queue, without arguments; a relative path begins at the home."),
    Variable("QMAILREMOTE", RSPAWN, "Program that is run in the place of qmail-remote, whatever extraremote says."),
    Variable("QMAILRRTDENYALL", SMTPD,
             "If it is neither empty nor 0, recipientchk=1 accepts every recipient, and refuses the message at DATA if one of them is not there."),
    Variable("RCPTCHECK", SMTPD, "Program that decides of each recipient whether strangers may send to it."),
    Variable("RELAYCLIENT", (SMTPD, QMTPD, QUEUE), "If it is set, the client may relay; its value is added to the end of each recipient's address."),
    Variable("SMTPS", SMTPD, "If it is set, the connection begins with TLS, before the greeting."),
    Variable("TCPLOCALHOST", (SMTPD, QMTPD, QMQPD), "Name of the address that the client has connected to, for the Received field."),
    Variable("TCPLOCALIP", (SMTPD, QMTPD, QMQPD), "The same address itself, where there is no name."),
    Variable("TCPREMOTEHOST", (SMTPD, QMTPD, QMQPD), "The client's name, for the Received field, and for badrmhostext and badrmhostint."),
    Variable("TCPREMOTEINFO", (SMTPD, QMTPD, QMQPD), "What the client's host says of the connection's owner, for the Received field."),
    Variable("TCPREMOTEIP", (SMTPD, QMTPD, QMQPD, QUEUE), "The client's address, for the Received field, for antispoofing and for originipfield."),
)}
