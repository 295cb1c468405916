"""Who the gateway is to its neighbours: signing keys, client assertions, access tokens."""
