-- Sightings, once there are too many for a CSV file.
CREATE TABLE species (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

CREATE TABLE sighting (
    id         INTEGER PRIMARY KEY,
    species_id INTEGER NOT NULL REFERENCES species (id),
    seen_at    TEXT NOT NULL,  -- TODO: store the time zone of the feeder as well
    count      INTEGER NOT NULL CHECK (count > 0)
);

CREATE INDEX sighting_by_time ON sighting (seen_at);
