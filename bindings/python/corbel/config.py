"""The gateway document of the platform as one component's settings. Nothing here waits, so both faces share it; any
thread, no runtime needed.

    config = corbel.Config.from_env()                     # raises corbel.Invalid with every fault at once
    config.settings["pools"]["redis_max_connections"]     # the effective value; None: unbounded
    config.settings["origins"]["pools.redis_max_connections"]
    print(config.table())
"""

import json
from functools import cached_property
from typing import Any, Dict, List, Mapping, Optional, Union

from corbel._failure import opened
from corbel._handle import Handle
from corbel._library import quick
from corbel._options import text
from corbel.log import take_text


class Config:
    """Never changes. Made by :meth:`parse` or :meth:`from_env`, or given by ``pools.follow()``."""

    def __init__(self, pointer: int) -> None:
        self._handle = Handle(pointer, quick.corbel_config_free)

    @classmethod
    def parse(cls, document: Union[str, bytes, Mapping[str, Any]], component: Optional[str] = None) -> "Config":
        """Reads a document for a component ("ingress"). The environment is not looked at. Raises Invalid with every fault:
        its path, what was found, what is allowed."""
        given = document if isinstance(document, (str, bytes)) else json.dumps(document)
        encoded = given.encode() if isinstance(given, str) else given
        return cls(opened(quick.corbel_config_parse, encoded, len(encoded), text(component, "component")))

    @classmethod
    def from_env(cls, component: Optional[str] = None) -> "Config":
        """Finds and reads the document as the platform's services do: GATEWAY_CONFIG_JSON, GATEWAY_YAML_PATH,
        PLATFORM_DESCRIPTORS_DIR/gateway.yaml, else the defaults of GATEWAY_PROFILE.
        component: by default GATEWAY_COMPONENT."""
        return cls(opened(quick.corbel_config_from_env, text(component, "component")))

    @cached_property
    def settings(self) -> Dict[str, Any]:
        """The effective values, without secrets: the document's sections, "derived", "connections", "origins"."""
        settings: Dict[str, Any] = json.loads(take_text(opened(quick.corbel_config_json, self._handle.pointer)))
        return settings

    @property
    def component(self) -> str:
        """Whose settings these are."""
        return str(self.settings["component"])

    @property
    def warnings(self) -> List[str]:
        """What is odd about the document, such as unknown keys, each with the nearest known one."""
        return list(self.settings["warnings"])

    def table(self) -> str:
        """A line for each value: path, value, where it came from."""
        return take_text(opened(quick.corbel_config_table, self._handle.pointer))

    @property
    def pointer(self) -> int:
        """For this package."""
        return self._handle.pointer
