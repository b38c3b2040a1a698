"""The ways of connections: proxies, own authorities, networks that have nothing but a proxy, peers that fall silent."""
