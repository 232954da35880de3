"""Made-up secrets of known shapes, put together when the tests run.

No literal in this repository may look like a secret: scanners, ours among them, would find it.
"""

import base64
import json
from itertools import cycle, islice


def letters(count: int) -> str:
    """So many letters and digits, both cases."""
    return "".join(islice(cycle("Ab3dEf6hIjKlMn0pQrS7uVwXyZ"), count))


def hexadecimal(count: int) -> str:
    """So many hexadecimal digits."""
    return "".join(islice(cycle("3f786850e387550fdab836ed7e6dc881de23001b"), count))


def capitals(count: int) -> str:
    """So many capital letters and digits."""
    return letters(count).upper()


def uuid() -> str:
    """A UUID."""
    digits = hexadecimal(32)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def jwt() -> str:
    """A JSON web token."""
    parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": "1234567890", "name": "Jane"})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts]
    return ".".join((*(part.rstrip("=") for part in encoded), letters(43)))


def private_key(kind: str = "RSA ") -> str:
    """A private key in PEM; PGP's has another form."""
    body = "\n".join(letters(64) for _ in range(4))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{body}\nQm9==\n-----END {kind}PRIVATE KEY-----"


#: What stands in the table by this name, and looks so.
VENDORS: dict[str, list[str]] = {
    "AWS access key id": ["AK" + "IA" + capitals(16), "AS" + "IA" + capitals(16)],
    "GitHub token": [f"gh{kind}_" + letters(36) for kind in "pousr"],
    "GitHub fine-grained token": ["github" + "_pat_" + letters(22) + "_" + letters(59)],
    "GitLab token": [
        f"gl{kind}-" + letters(20)
        for kind in ("pat", "dt", "rt", "ptt", "ft", "imt", "agent", "oas", "soat", "ffct")
    ],
    "GitLab runner registration token": ["GR" + "1348941" + letters(20)],
    "Slack token": [
        *(f"xox{kind}-" + "1234567890-" * 2 + letters(24) for kind in "abeoprs"),
        "xoxe" + ".xoxp-1-" + letters(160),
        "xap" + "p-1-" + capitals(11) + "-1234567890-" + hexadecimal(64),
    ],
    "Stripe key": ["sk_" + "live_" + letters(24), "rk_" + "test_" + letters(99)],
    "Stripe webhook secret": ["whsec" + "_" + letters(32)],
    "Google API key": ["AI" + "za" + letters(35)],
    "Google OAuth token": ["ya" + "29." + letters(80)],
    "Google OAuth client secret": ["GOCSPX" + "-" + letters(28)],
    "Google refresh token": ["1/" + "/0" + letters(60)],
    "OpenAI key": [f"sk-{kind}-" + letters(60) for kind in ("proj", "svcacct", "admin", "or-v1")],
    "OpenAI key, older, and its imitators": [
        "s" + "k-" + letters(48),
        "s" + "k-" + hexadecimal(32),
    ],
    "Anthropic key": ["sk-" + "ant-api03-" + letters(93) + "AA"],
    "Groq key": ["gs" + "k_" + letters(52)],
    "xAI key": ["xa" + "i-" + letters(80)],
    "Perplexity key": ["pp" + "lx-" + letters(48)],
    "Replicate token": ["r" + "8_" + letters(37)],
    "Hugging Face token": ["h" + "f_" + letters(34), "api" + "_org_" + letters(34)],
    "npm token": ["np" + "m_" + letters(36)],
    "PyPI token": ["py" + "pi-AgEIcHlwaS5vcmc" + letters(60)],
    "RubyGems key": ["ruby" + "gems_" + hexadecimal(48)],
    "Clojars token": ["CLO" + "JARS_" + letters(60)],
    "Docker token": ["dckr" + "_pat_" + letters(27)],
    "SendGrid key": ["S" + "G." + letters(22) + "." + letters(43)],
    "Brevo key": ["xkey" + "sib-" + hexadecimal(64) + "-" + letters(16)],
    "Twilio key": ["S" + "K" + hexadecimal(32)],
    "Mailgun key": ["ke" + "y-" + hexadecimal(32)],
    "Mailchimp key": [hexadecimal(32) + "-u" + "s12"],
    "Telegram bot token": ["1234567890" + ":A" + "A" + letters(33)],
    "Discord bot token": ["M" + letters(25) + "." + letters(6) + "." + letters(38)],
    "DigitalOcean token": [f"do{kind}_v1_" + hexadecimal(64) for kind in "por"],
    "Shopify token": [f"shp{kind}_" + hexadecimal(32) for kind in ("at", "ca", "pa", "ss")],
    "Square token": ["sq0" + "atp-" + letters(22)],
    "Square access token": ["EA" + "AA" + letters(60)],
    "Facebook token": ["EA" + "AC" + letters(150)],
    "Databricks token": ["da" + "pi" + hexadecimal(32)],
    "Vault token": ["hv" + "s." + letters(95)],
    "Terraform Cloud token": [letters(14) + ".atlas" + "v1." + letters(67)],
    "Doppler token": ["dp" + ".pt." + letters(43)],
    "Dynatrace token": ["dt0" + "c01." + capitals(24) + "." + capitals(64)],
    "Linear key": ["lin" + "_api_" + letters(40)],
    "Notion secret": ["sec" + "ret_" + letters(43), "nt" + "n_" + letters(46)],
    "Airtable token": ["pa" + "t" + letters(14) + "." + hexadecimal(64)],
    "Atlassian token": ["ATA" + "TT3" + letters(180), "AT" + "BB" + letters(32)],
    "Figma token": ["fi" + "gd_" + letters(40)],
    "Postman key": ["PM" + "AK-" + hexadecimal(24) + "-" + hexadecimal(34)],
    "New Relic key": ["NR" + "AK-" + capitals(27)],
    "Grafana token": ["gl" + "sa_" + letters(32) + "_" + hexadecimal(8), "gl" + "c_" + letters(60)],
    "Sentry token": ["sntr" + "yu_" + hexadecimal(64)],
    "Dropbox token": ["s" + "l." + letters(135)],
    "PlanetScale secret": ["pscale" + "_pw_" + letters(43)],
    "Supabase key": ["sb" + "p_" + hexadecimal(40)],
    "Prefect key": ["pn" + "u_" + letters(36)],
    "Pulumi token": ["pu" + "l-" + hexadecimal(40)],
    "Fly.io token": ["fo" + "1_" + letters(43)],
    "Tailscale key": ["ts" + "key-auth-" + letters(40)],
    "1Password token": ["ops" + "_eyJ" + letters(260)],
    "age secret key": ["AGE-SEC" + "RET-KEY-1" + capitals(58)],
    "Azure client secret": [letters(3) + "8Q" + "~" + letters(34)],
    "Alibaba key id": ["LT" + "AI" + letters(20)],
    "OpenShift token": ["sha256" + "~" + letters(43)],
    "Octopus key": ["AP" + "I-" + capitals(26)],
    "Shippo token": ["ship" + "po_live_" + hexadecimal(40)],
    "EasyPost key": ["EZ" + "AK" + letters(54)],
    "Duffel token": ["duf" + "fel_live_" + letters(43)],
    "ReadMe key": ["rd" + "me_" + letters(70).lower()],
    "MaxMind key": [letters(6) + "_" + letters(29) + "_m" + "mk"],
}

#: As VENDORS, but what comes before it stays.
VENDOR_URLS: dict[str, list[tuple[str, str]]] = {
    "Slack webhook": [
        ("https://hooks.slack.com/services/", f"T{capitals(8)}/B{capitals(8)}/{letters(24)}")
    ],
    "Discord webhook": [("https://discord.com/api/webhooks/", "1234567890123456/" + letters(68))],
    "Teams webhook": [
        (
            "https://acme.webhook.office.com/webhookb2/",
            f"{uuid()}@{uuid()}/IncomingWebhook/{hexadecimal(32)}/{uuid()}",
        )
    ],
}

#: What looks like a secret and is none.
HARMLESS: list[str] = [
    hexadecimal(40),
    hexadecimal(64),
    "sha256:" + hexadecimal(64),
    "integrity sha512-" + base64.b64encode(bytes(range(64))).decode(),
    uuid(),
    "the token is missing",
    "The password must have 12 characters, and the secret was not found.",
    "Invalid token: expected ',' at line 3",
    "Error: missing authorization header: please log in",
    "token: required",
    "authorization: header missing from request",
    "max_tokens=512, prompt_tokens: 17, token_count = 3",
    '{"token_count": 3, "oauth_enabled": true, "password": null, "author": "Jane"}',
    "tokens: 512",
    "basic authentication failed for user bob",
    "Bearer authentication is required",
    "password = getpass.getpass()",
    "connect(password=password, token=self.token)",
    "password: ${env.DB_PASSWORD}",
    "PWD=/srv/app",
    "Token::Kind and secret::Value",
    "-----BEGIN PUBLIC KEY-----\n" + letters(64) + "\n-----END PUBLIC KEY-----",
    "-----BEGIN CERTIFICATE-----\n" + letters(64) + "\n-----END CERTIFICATE-----",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + letters(43) + " jane@host",
    "data:image/png;base64," + base64.b64encode(bytes(range(256)) * 40).decode(),
    "https://example.com:8080/a/b?page=2&sort=name#top",
    "ssh://git@example.com/repo.git",
    "mail jane@example.com at 10:30: see //example.com",
    "risk-assessment-for-the-new-project-in-two-phases",
    "sk-estimator-doc-link-with-a-long-class-name",
    "2024-11-24T03:27:00+00:00",
    "def login(user: str, password: str, token: Token) -> bool:",
    "username, password = user_and_password",
    "self.token = following",
    "if token == '(' or token != '::':",
    "TOKEN: Final = re.compile(pattern)",
    'getpass("Password: ")',
    'input("Password: ", stream=None)',
    '["id", "password", "email"]',
    '{"columns": ["user", "password", "created-at"]}',
    "if password:\n    return check(password)",
    "unexpected token 'a1b2c3d4' at line 3",
    "next page token a1b2c3d4e5 is opaque",
    "token limit 128000 of model gpt-4o-mini-2024",
    "the token in config2.yaml of host db1.example.com is missing",
    "password reset for user1234 at https://example.com/reset1234",
    "secret scanning v2.11.0 found nothing",
    "use the flags --username and --password option by option",
    "docker login failed -- please retry",
    "ENV PATH /usr/bin",
    "https://example.com/?code=404&key=name",
    "cache-key-" + hexadecimal(32),
    "C++ and a::b::c, x == y, <b>bold</b>, ratio 1:2",
    "",
    " ",
    "ok",
    "[REDACTED]",
]
