"""The service measured beside a peer: the same studies, the same clients, the same run."""
