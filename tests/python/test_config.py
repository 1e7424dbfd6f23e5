"""The gateway document as settings."""

import corbel
import pytest

DOCUMENT = {
    "tenant": "acme",
    "redis_url": "redis://u:geheim@db:6379/1",
    "pools": {"pg_max_connections": 100, "redis_max_conections": 1, "ingress": {"redis_max_connections": 20}, "proc": {}},
}


def test_a_document_is_read_for_a_component():
    ingress, proc = corbel.Config.parse(DOCUMENT), corbel.Config.parse(DOCUMENT, "worker")
    assert (ingress.component, proc.component) == ("ingress", "proc")
    assert ingress.settings["pools"]["redis_max_connections"] == 20
    assert proc.settings["pools"] == {
        "pg_pool_min_size": 0,
        "pg_pool_max_size": 5,
        "redis_max_connections": None,
        "pg_max_connections": 100,
    }
    assert ingress.settings["connections"]["redis_conns_per_instance"] == 60
    assert ingress.settings["origins"]["pools.redis_max_connections"] == "document: pools.ingress.redis_max_connections"
    assert any("redis_max_conections" in w and '"redis_max_connections"' in w for w in ingress.warnings)
    assert "document: pools.pg_max_connections" in proc.table()
    assert "geheim" not in proc.table() and "geheim" not in str(proc.settings)


@pytest.mark.parametrize("document", ['{"limits": []}', b'{"limits": []}', {"limits": []}])
def test_a_wrong_document_is_refused_with_its_faults(document):
    with pytest.raises(corbel.Invalid, match=r"1 fault in document: \[limits: found an array; allowed: an object\]"):
        corbel.Config.parse(document)


def test_the_environment(monkeypatch, tmp_path):
    (tmp_path / "gateway.yaml").write_text("gateway:\n  pools: {redis_max_connections: 6}\n")
    for name in ("GATEWAY_CONFIG_JSON", "GATEWAY_YAML_PATH", "GATEWAY_PRESET", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PLATFORM_DESCRIPTORS_DIR", str(tmp_path))
    monkeypatch.setenv("GATEWAY_COMPONENT", "proc")
    config = corbel.Config.from_env()
    assert config.component == "proc" and config.settings["pools"]["redis_max_connections"] == 6
    assert corbel.Config.from_env("metrics").settings["connections"]["redis_conns_per_instance"] == 18
    monkeypatch.setenv("GATEWAY_CONFIG_JSON", "{")
    with pytest.raises(corbel.Invalid, match="GATEWAY_CONFIG_JSON"):
        corbel.Config.from_env()
