"""How the bodies of stock clients are unpacked and decoded. Pure."""
