"""What the demo's trading process reads from its manifests: limits and switches of its environment, and its lists."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from stages.value import Struct


class BadManifest(Exception):
    """The manifests do not say how to trade; the text names the variable and what is wrong with it."""


class Controls(Struct, frozen=True):
    """The environment of one start of the process. Limits in dollars; participation as a share of volume."""

    max_order: Decimal
    max_gross: Decimal
    max_net: Decimal
    max_symbol: Decimal
    participation: Decimal
    daily_loss: Decimal
    symbols: tuple[str, ...]
    mode: str
    submit: bool
    reduce_only: bool
    kill_switch: bool
    strategy: str

    @staticmethod
    def read(env: Mapping[str, str]) -> Controls:
        """Check the environment as the process does at start; raises BadManifest."""
        mode = env.get("TRADING_MODE", "paper")
        if mode not in ("paper", "live"):
            raise BadManifest(f"TRADING_MODE: {mode!r} is neither paper nor live")
        return Controls(
            max_order=_amount(env, "TRADING_MAX_NOTIONAL_PER_TRADE"),
            max_gross=_amount(env, "TRADING_PORTFOLIO_MAX_GROSS_EXPOSURE"),
            max_net=_amount(env, "TRADING_PORTFOLIO_MAX_NET_EXPOSURE"),
            max_symbol=_amount(env, "TRADING_PORTFOLIO_MAX_NOTIONAL_PER_SYMBOL"),
            participation=_amount(env, "TRADING_MAX_PARTICIPATION_RATE"),
            daily_loss=_amount(env, "TRADING_DAILY_LOSS_LIMIT_USD"),
            symbols=symbol_list(env.get("TRADING_STATIC_SYMBOLS", "")),
            mode=mode,
            submit=_switch(env, "TRADING_LIVE_SUBMIT_ENABLED", absent=False),
            reduce_only=_switch(env, "TRADING_REDUCE_ONLY", absent=False),
            # A process that was not told otherwise does not trade.
            kill_switch=_switch(env, "TRADING_KILL_SWITCH_ENABLED", absent=True),
            strategy=env.get("TRADING_ACTIVE_STRATEGY", ""),
        )


class Deployed(Struct, frozen=True):
    """What one revision of the repository tells the process: ``env`` needs a restart, the lists are re-read as it runs.

    ``catalog`` holds the universe of each enabled strategy, ``feed`` the symbols that have prices; None where there
    is no such file.
    """

    revision: str
    env: Mapping[str, str]
    controls: Controls
    catalog: Mapping[str, tuple[str, ...]] | None
    feed: tuple[str, ...] | None

    @property
    def universe(self) -> tuple[str, ...]:
        """What may be traded: named by the environment, by the strategy's catalog entry and by the feed."""
        named = self.controls.symbols
        if self.catalog is not None:
            named = tuple(s for s in named if s in self.catalog.get(self.controls.strategy, ()))
        return named if self.feed is None else tuple(s for s in named if s in self.feed)

    def readback(self) -> dict[str, object]:
        """The controls as the running process holds them: strings as in the manifests, the universe as a list."""
        controls = self.controls
        return {
            "maxOrderNotional": str(controls.max_order),
            "maxGrossExposure": str(controls.max_gross),
            "maxNetExposure": str(controls.max_net),
            "symbolConcentration": str(controls.max_symbol),
            "participationCap": str(controls.participation),
            "dailyLossLimit": str(controls.daily_loss),
            "universe": list(self.universe),
            "tradingMode": controls.mode,
            "submitEnabled": _word(controls.submit),
            "reduceOnly": _word(controls.reduce_only),
            "killSwitch": _word(controls.kill_switch),
        }


def symbol_list(text: str) -> tuple[str, ...]:
    """Symbols from a comma-separated list."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _amount(env: Mapping[str, str], name: str) -> Decimal:
    if name not in env:
        raise BadManifest(f"{name}: not set")
    try:
        amount = Decimal(env[name])
    except InvalidOperation:
        raise BadManifest(f"{name}: {env[name]!r} is not a number") from None
    if not amount.is_finite() or amount < 0:
        raise BadManifest(f"{name}: {env[name]} must be zero or more")
    return amount


def _switch(env: Mapping[str, str], name: str, *, absent: bool) -> bool:
    if name not in env:
        return absent
    if env[name] not in ("true", "false"):
        raise BadManifest(f"{name}: {env[name]!r} is neither true nor false")
    return env[name] == "true"


def _word(switch: bool) -> str:
    return "true" if switch else "false"
