"""Settings: read from four sources, checked all at once, handed on as one frozen `Config`.

sources.py   environment, .env, secret files, TOML → layers
table.py     names, types, defaults, expectations (pydantic-settings)
problems.py  what is wrong, in words, without values
build.py     the table → Config
load.py      load · examine · demo_config
"""

from bot.config.channels import installed, load_object
from bot.config.load import RUN, Examined, Need, Setting, demo_config, examine, load
from bot.config.model import (
    Access,
    Config,
    Feedback,
    Limits,
    Operator,
    Problem,
    Retention,
    Route,
    Sessions,
)
from bot.config.routes import route_for, route_name
from bot.config.table import is_loopback

__all__ = [
    "RUN",
    "Access",
    "Config",
    "Examined",
    "Feedback",
    "Limits",
    "Need",
    "Operator",
    "Problem",
    "Retention",
    "Route",
    "Sessions",
    "Setting",
    "demo_config",
    "examine",
    "installed",
    "is_loopback",
    "load",
    "load_object",
    "route_for",
    "route_name",
]
