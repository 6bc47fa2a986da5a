"""What the RFC says, as pure functions: documents in, documents out. No clock, id, storage, logging or async."""
