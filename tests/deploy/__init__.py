"""The site as it is deployed: the very files of deploy/, with real nginx, PostgreSQL, Redis and two web processes."""
