"""The contractor's side, in four rooms: profiles, sessions, delivery, doctor. Each imports only those before it."""
