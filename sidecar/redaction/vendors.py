"""The table of vendors' tokens: how each looks, and where that is documented.

Only data; `shapes` applies it. "gitleaks" in a source is the rule of that id in
github.com/gitleaks/gitleaks, config/gitleaks.toml.

How a row keeps time linear and false alarms rare: a pattern is a literal start and one run of
characters, or runs of bounded length; where the start is an ordinary syllable it may not stand
within a word; every match holds a run of 15 letters, digits, `_` or `-`.
"""

from typing import Final, NamedTuple


class Shape(NamedTuple):
    """One kind of secret.

    One of the `marks` stands in every match. If `pattern` has a group, that is the secret and the
    rest stays; else the whole match is.
    """

    name: str
    marks: tuple[str, ...]
    pattern: str
    source: str


_HOOKS_SOURCE: Final = "api.slack.com/messaging/webhooks: the URL is the secret; its host stays"

SHAPES: Final = (
    Shape(
        "AWS access key id",
        ("AKIA", "ASIA", "ABIA", "ACCA"),
        r"(?<![A-Za-z0-9])A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?![A-Za-z0-9])",
        "docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes",
    ),
    Shape(
        "GitHub token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
        r"gh[pousr]_[A-Za-z0-9]{36,}",
        "github.blog/2021-04-05-behind-githubs-new-authentication-token-formats",
    ),
    Shape(
        "GitHub fine-grained token",
        ("github_pat_",),
        r"github_pat_[A-Za-z0-9_]{36,}",
        "gitleaks github-fine-grained-pat",
    ),
    Shape(
        "GitLab token",
        (
            *("glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glimt-"),
            *("glagent-", "gloas-", "glsoat-", "glffct-"),
        ),
        r"gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat|ffct)-[A-Za-z0-9_.-]{20,}",
        "docs.gitlab.com/security/tokens/#token-prefixes",
    ),
    Shape(
        "GitLab runner registration token",
        ("GR1348941",),
        r"GR1348941[A-Za-z0-9_-]{20,}",
        "gitleaks gitlab-rrt",
    ),
    Shape(
        "Slack token",
        ("xoxa-", "xoxb-", "xoxe", "xoxo-", "xoxp-", "xoxr-", "xoxs-", "xapp-"),
        r"(?:xox[abeoprs]|xapp)(?:\.xox[bp])?-[A-Za-z0-9-]{10,}",
        "api.slack.com/concepts/token-types",
    ),
    Shape(
        "Slack webhook",
        ("hooks.slack.com/",),
        r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9+/_-]{20,})",
        _HOOKS_SOURCE,
    ),
    Shape(
        "Discord webhook",
        ("/api/webhooks/",),
        r"/api/webhooks/([0-9]{15,25}/[A-Za-z0-9_-]{40,})",
        "discord.com/developers/docs/resources/webhook",
    ),
    Shape(
        "Teams webhook",
        ("/webhookb2/",),
        r"/webhookb2/([A-Za-z0-9@/-]{40,})",
        "gitleaks microsoft-teams-webhook",
    ),
    Shape(
        "Stripe key",
        ("sk_live_", "sk_test_", "sk_prod_", "rk_live_", "rk_test_", "rk_prod_"),
        r"[sr]k_(?:live|test|prod)_[A-Za-z0-9]{10,}",
        "docs.stripe.com/keys",
    ),
    Shape(
        "Stripe webhook secret",
        ("whsec_",),
        r"whsec_[A-Za-z0-9+/=]{24,}",
        "docs.stripe.com/webhooks",
    ),
    Shape("Google API key", ("AIza",), r"AIza[A-Za-z0-9_-]{35,}", "gitleaks gcp-api-key"),
    Shape(
        "Google OAuth token",
        ("ya29.",),
        r"ya29\.[A-Za-z0-9_-]{20,}",
        "developers.google.com/identity/protocols/oauth2",
    ),
    Shape(
        "Google OAuth client secret",
        ("GOCSPX-",),
        r"GOCSPX-[A-Za-z0-9_-]{20,}",
        "developers.google.com/identity/protocols/oauth2",
    ),
    Shape(
        "Google refresh token",
        ("1//0",),
        r"(?<![A-Za-z0-9/])1//0[A-Za-z0-9_-]{30,}",
        "developers.google.com/identity/protocols/oauth2",
    ),
    Shape(
        "OpenAI key",
        ("sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-", "sk-or-v1-"),
        r"sk-(?:proj|svcacct|admin|None|or-v1)-[A-Za-z0-9_-]{20,}",
        "gitleaks openai-api-key; openrouter.ai/docs",
    ),
    Shape(
        "OpenAI key, older, and its imitators",
        ("sk-",),
        r"(?<![A-Za-z0-9_-])sk-[A-Za-z0-9]{32,}",
        "gitleaks openai-api-key",
    ),
    Shape(
        "Anthropic key",
        ("sk-ant-",),
        r"sk-ant-[A-Za-z0-9_-]{20,}",
        "gitleaks anthropic-api-key; docs.anthropic.com/en/api",
    ),
    Shape("Groq key", ("gsk_",), r"gsk_[A-Za-z0-9]{40,}", "console.groq.com/docs"),
    Shape("xAI key", ("xai-",), r"xai-[A-Za-z0-9]{60,}", "docs.x.ai"),
    Shape("Perplexity key", ("pplx-",), r"pplx-[A-Za-z0-9]{40,}", "docs.perplexity.ai"),
    Shape(
        "Replicate token", ("r8_",), r"(?<![A-Za-z0-9_])r8_[A-Za-z0-9]{37,}", "replicate.com/docs"
    ),
    Shape(
        "Hugging Face token",
        ("hf_", "api_org_"),
        r"(?<![A-Za-z0-9_])(?:hf|api_org)_[A-Za-z0-9]{30,}",
        "gitleaks huggingface-access-token",
    ),
    Shape(
        "npm token",
        ("npm_",),
        r"(?<![A-Za-z0-9_])npm_[A-Za-z0-9]{36,}",
        "gitleaks npm-access-token",
    ),
    Shape("PyPI token", ("pypi-AgE",), r"pypi-AgE[A-Za-z0-9_-]{30,}", "gitleaks pypi-upload-token"),
    Shape("RubyGems key", ("rubygems_",), r"rubygems_[0-9a-f]{48}", "gitleaks rubygems-api-token"),
    Shape("Clojars token", ("CLOJARS_",), r"CLOJARS_[A-Za-z0-9]{60}", "gitleaks clojars-api-token"),
    Shape(
        "Docker token",
        ("dckr_pat_", "dckr_oat_"),
        r"dckr_[po]at_[A-Za-z0-9_-]{20,}",
        "docs.docker.com/security/access-tokens",
    ),
    Shape(
        "SendGrid key",
        ("SG.",),
        r"(?<![A-Za-z0-9])SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{30,}",
        "gitleaks sendgrid-api-token",
    ),
    Shape(
        "Brevo key",
        ("xkeysib-", "xsmtpsib-"),
        r"x(?:key|smtp)sib-[A-Za-z0-9-]{60,}",
        "gitleaks sendinblue-api-token",
    ),
    Shape(
        "Twilio key",
        ("SK",),
        r"(?<![A-Za-z0-9])SK[0-9a-f]{32}(?![A-Za-z0-9])",
        "gitleaks twilio-api-key",
    ),
    Shape(
        "Mailgun key",
        ("key-",),
        r"(?<![A-Za-z0-9-])key-[0-9a-f]{32}(?![A-Za-z0-9])",
        "gitleaks mailgun-private-api-token",
    ),
    Shape(
        "Mailchimp key",
        ("-us",),
        r"(?<![A-Za-z0-9])[0-9a-f]{32}-us[0-9]{1,2}(?![A-Za-z0-9])",
        "gitleaks mailchimp-api-key",
    ),
    Shape(
        "Telegram bot token",
        (":AA",),
        r"(?<![A-Za-z0-9])[0-9]{5,16}:AA[A-Za-z0-9_-]{32,}",
        "core.telegram.org/bots/api#authorizing-your-bot",
    ),
    Shape(
        "Discord bot token",
        (".",),
        r"(?<![A-Za-z0-9_-])[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,64}",
        "discord.com/developers/docs/reference#authentication",
    ),
    Shape(
        "DigitalOcean token",
        ("dop_v1_", "doo_v1_", "dor_v1_"),
        r"do[por]_v1_[0-9a-f]{64}",
        "gitleaks digitalocean-pat",
    ),
    Shape(
        "Shopify token",
        ("shpat_", "shpca_", "shppa_", "shpss_"),
        r"shp(?:at|ca|pa|ss)_[0-9A-Fa-f]{32}",
        "gitleaks shopify-access-token",
    ),
    Shape(
        "Square token",
        ("sq0atp-", "sq0csp-", "EAAA"),
        r"(?<![A-Za-z0-9+/])(?:sq0(?:atp|csp)-[A-Za-z0-9_-]{22,}|EAAA[A-Za-z0-9_-]{60})(?![A-Za-z0-9+/])",
        "gitleaks square-access-token",
    ),
    Shape(
        "Facebook token",
        ("EAAC", "EAAM"),
        r"(?<![A-Za-z0-9+/])EAA[CM][A-Za-z0-9]{100,}(?![A-Za-z0-9+/])",
        "gitleaks facebook-page-access-token",
    ),
    Shape(
        "Databricks token",
        ("dapi",),
        r"(?<![A-Za-z0-9])dapi[0-9a-f]{32}",
        "gitleaks databricks-api-token",
    ),
    Shape(
        "Vault token",
        ("hvs.", "hvb.", "hvr."),
        r"(?<![A-Za-z0-9])hv[sbr]\.[A-Za-z0-9_-]{24,}",
        "developer.hashicorp.com/vault/docs/concepts/tokens",
    ),
    Shape(
        "Terraform Cloud token",
        (".atlasv1.",),
        r"(?<![A-Za-z0-9])[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{40,}",
        "gitleaks hashicorp-tf-api-token",
    ),
    Shape(
        "Doppler token",
        ("dp.pt.", "dp.st.", "dp.ct.", "dp.sa.", "dp.scim.", "dp.audit."),
        r"(?<![A-Za-z0-9])dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_.-]{40,}",
        "docs.doppler.com/reference/auth-token-formats",
    ),
    Shape(
        "Dynatrace token",
        ("dt0c01.",),
        r"dt0c01\.[A-Z0-9]{24}\.[A-Z0-9]{64}",
        "gitleaks dynatrace-api-token",
    ),
    Shape(
        "Linear key",
        ("lin_api_", "lin_oauth_"),
        r"lin_(?:api|oauth)_[A-Za-z0-9]{40,}",
        "gitleaks linear-api-key",
    ),
    Shape(
        "Notion secret",
        ("secret_", "ntn_"),
        r"(?<![A-Za-z0-9_])(?:secret_[A-Za-z0-9]{43}|ntn_[A-Za-z0-9]{40,})(?![A-Za-z0-9])",
        "developers.notion.com/docs/authorization",
    ),
    Shape(
        "Airtable token",
        ("pat",),
        r"(?<![A-Za-z0-9])pat[A-Za-z0-9]{14}\.[0-9a-f]{64}",
        "airtable.com/developers/web/guides/personal-access-tokens",
    ),
    Shape(
        "Atlassian token",
        ("ATATT3", "ATCTT3", "ATBB"),
        r"AT(?:[AC]TT3[A-Za-z0-9_=-]{60,}|BB[A-Za-z0-9]{32})",
        "gitleaks atlassian-api-token; support.atlassian.com/bitbucket-cloud",
    ),
    Shape(
        "Figma token",
        ("figd_", "figo_"),
        r"fig[do]_[A-Za-z0-9_-]{40,}",
        "www.figma.com/developers/api",
    ),
    Shape(
        "Postman key",
        ("PMAK-",),
        r"PMAK-[0-9A-Fa-f]{24}-[0-9A-Fa-f]{34}",
        "gitleaks postman-api-token",
    ),
    Shape(
        "New Relic key",
        ("NRAK-", "NRII-", "NRJS-"),
        r"NR(?:AK|II|JS)-[A-Za-z0-9_-]{19,}",
        "gitleaks new-relic-user-api-key",
    ),
    Shape(
        "Grafana token",
        ("glsa_", "glc_"),
        r"(?<![A-Za-z0-9])gl(?:sa|c)_[A-Za-z0-9+/_]{32,}={0,3}",
        "gitleaks grafana-service-account-token, grafana-cloud-api-token",
    ),
    Shape(
        "Sentry token",
        ("sntrys_", "sntryu_"),
        r"sntry[su]_[A-Za-z0-9+/=_]{40,}",
        "gitleaks sentry-org-token, sentry-user-token",
    ),
    Shape(
        "Dropbox token",
        ("sl.",),
        r"(?<![A-Za-z0-9])sl\.[A-Za-z0-9_-]{130,}",
        "gitleaks dropbox-short-lived-api-token",
    ),
    Shape(
        "PlanetScale secret",
        ("pscale_tkn_", "pscale_pw_", "pscale_oauth_"),
        r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_=.-]{32,}",
        "gitleaks planetscale-api-token",
    ),
    Shape(
        "Supabase key",
        ("sb_secret_", "sbp_"),
        r"(?<![A-Za-z0-9])(?:sb_secret_[A-Za-z0-9_-]{20,}|sbp_[0-9a-f]{40})",
        "supabase.com/docs/guides/api/api-keys",
    ),
    Shape(
        "Prefect key",
        ("pnu_", "pnb_"),
        r"(?<![A-Za-z0-9])pn[ub]_[A-Za-z0-9]{36}",
        "gitleaks prefect-api-token",
    ),
    Shape(
        "Pulumi token", ("pul-",), r"(?<![A-Za-z0-9])pul-[0-9a-f]{40}", "gitleaks pulumi-api-token"
    ),
    Shape(
        "Fly.io token",
        ("fo1_", "fm1a_", "fm1r_", "fm2_"),
        r"(?<![A-Za-z0-9])f(?:o1|m1[ar]|m2)_[A-Za-z0-9+/=_-]{40,}",
        "gitleaks flyio-access-token",
    ),
    Shape(
        "Tailscale key",
        ("tskey-",),
        r"tskey-[a-z]{2,20}-[A-Za-z0-9-]{16,}",
        "tailscale.com/kb/1277/key-prefixes",
    ),
    Shape(
        "1Password token",
        ("ops_eyJ",),
        r"ops_eyJ[A-Za-z0-9+/=_-]{100,}",
        "gitleaks 1password-service-account-token",
    ),
    Shape(
        "age secret key",
        ("AGE-SECRET-KEY-1",),
        r"AGE-SECRET-KEY-1[A-Z0-9]{58}",
        "gitleaks age-secret-key",
    ),
    Shape(
        "Azure client secret",
        ("Q~",),
        r"(?<![A-Za-z0-9_.~-])[A-Za-z0-9_.~-]{3}[0-9]Q~[A-Za-z0-9_.~-]{31,34}(?![A-Za-z0-9_.~-])",
        "gitleaks azure-ad-client-secret",
    ),
    Shape(
        "Alibaba key id",
        ("LTAI",),
        r"(?<![A-Za-z0-9])LTAI[A-Za-z0-9]{12,20}(?![A-Za-z0-9])",
        "gitleaks alibaba-access-key-id",
    ),
    Shape(
        "OpenShift token",
        ("sha256~",),
        r"sha256~[A-Za-z0-9_-]{43}",
        "gitleaks openshift-user-token",
    ),
    Shape(
        "Octopus key",
        ("API-",),
        r"(?<![A-Za-z0-9-])API-[A-Z0-9]{25,}(?![A-Za-z0-9])",
        "gitleaks octopus-deploy-api-key",
    ),
    Shape(
        "Shippo token",
        ("shippo_",),
        r"shippo_(?:live|test)_[0-9a-f]{40}",
        "gitleaks shippo-api-token",
    ),
    Shape(
        "EasyPost key",
        ("EZAK", "EZTK"),
        r"(?<![A-Za-z0-9])EZ[AT]K[A-Za-z0-9]{54}",
        "gitleaks easypost-api-token",
    ),
    Shape(
        "Duffel token",
        ("duffel_",),
        r"duffel_(?:test|live)_[A-Za-z0-9_=-]{43}",
        "gitleaks duffel-api-token",
    ),
    Shape(
        "ReadMe key", ("rdme_",), r"(?<![A-Za-z0-9])rdme_[a-z0-9]{70}", "gitleaks readme-api-token"
    ),
    Shape(
        "MaxMind key",
        ("_mmk",),
        r"(?<![A-Za-z0-9])[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk",
        "gitleaks maxmind-license-key",
    ),
)
