"""Plans: frozen nodes that own their schema, the binder, rules, and the protocol an engine serves."""
