"""What aiosmtpd does with mail in the tests: into a Maildir, but for some addresses; one user may log in."""

from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import AuthResult


class MailHandler(Mailbox):
    greylisted = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 no such user"
        if address.startswith("later@"):
            return "450 4.2.1 try again later"
        if address.startswith("first-later@") and address not in self.greylisted:
            self.greylisted.add(address)
            return "450 4.7.1 greylisted"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if b"looks like spam" in envelope.content:
            return "554 5.7.1 spam"
        return await super().handle_DATA(server, session, envelope)

    async def handle_MAIL(self, server, session, envelope, address, options):
        if address.startswith("login@") and not session.authenticated:
            return "530 5.7.0 authentication required"
        envelope.mail_from = address
        return "250 OK"

    async def auth_PLAIN(self, server, args):
        login = await server.challenge_auth("") if len(args) == 1 else __import__("base64").b64decode(args[1])
        return AuthResult(success=login == b"\0perfleet\0hunter2", handled=False)

    auth_LOGIN = auth_PLAIN
