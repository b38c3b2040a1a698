"""Settings: merged from four sources, checked all at once, handed on as one frozen `Config`.

model.py     the settings: names, types, defaults, what each may be
sources.py   environment, .env, secret files, TOML → one mapping
problems.py  what is wrong, in words, without values
load.py      load · examine · demo_config
routes.py    which route a conversation takes              channels.py  which channels are installed
"""

from bot.config.channels import installed, load_object
from bot.config.load import RUN, Examined, Need, demo_config, examine, load
from bot.config.model import Access, Config, Feedback, Limits, Retention, Route, Sessions
from bot.config.routes import Routes, api_key_for, route_for, route_name, site_of, wants

__all__ = [
    "RUN",
    "Access",
    "Config",
    "Examined",
    "Feedback",
    "Limits",
    "Need",
    "Retention",
    "Route",
    "Routes",
    "Sessions",
    "api_key_for",
    "demo_config",
    "examine",
    "installed",
    "load",
    "load_object",
    "route_for",
    "route_name",
    "site_of",
    "wants",
]
