"""The tables of the SQL store, as scripts that SQLite and PostgreSQL both understand.

Forward only: each script is run once, in order; a released one is never edited.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

STORE = (
    """
    CREATE TABLE journal (
        identity TEXT PRIMARY KEY,
        time TEXT NOT NULL,
        outcome TEXT NOT NULL
    );
    CREATE TABLE ledger (
        identity TEXT PRIMARY KEY,
        time TEXT NOT NULL,
        tenant TEXT NOT NULL,
        "user" TEXT,
        pattern TEXT NOT NULL,
        path TEXT NOT NULL,
        model TEXT NOT NULL,
        provider TEXT NOT NULL,
        status TEXT NOT NULL,
        input_tokens BIGINT NOT NULL,
        output_tokens BIGINT NOT NULL,
        cached_tokens BIGINT NOT NULL,
        estimated INTEGER NOT NULL,
        simulated INTEGER NOT NULL,
        cost_nanousd BIGINT
    );
    CREATE INDEX ledger_tenant_time ON ledger (tenant, time);
    """,
    """
    ALTER TABLE ledger ADD COLUMN day TEXT;
    UPDATE ledger SET day = substr(time, 1, 10);
    CREATE INDEX ledger_day ON ledger (day);
    CREATE TABLE accounts (
        tenant TEXT NOT NULL,
        day TEXT NOT NULL,
        spent_nanousd BIGINT NOT NULL DEFAULT 0,
        PRIMARY KEY (tenant, day)
    );
    INSERT INTO accounts (tenant, day, spent_nanousd)
        SELECT tenant, day, COALESCE(SUM(cost_nanousd), 0) FROM ledger GROUP BY tenant, day;
    CREATE TABLE reservations (
        identity TEXT PRIMARY KEY,
        attempt BIGINT NOT NULL,
        tenant TEXT NOT NULL,
        day TEXT NOT NULL,
        nanousd BIGINT NOT NULL,
        expires DOUBLE PRECISION NOT NULL
    );
    CREATE INDEX reservations_account ON reservations (tenant, day);
    CREATE INDEX reservations_expires ON reservations (expires);
    CREATE TABLE breakers (
        provider TEXT PRIMARY KEY,
        version BIGINT NOT NULL,
        state TEXT NOT NULL
    )
    """,
    """
    ALTER TABLE reservations ADD COLUMN paid TEXT
    """,
    """
    CREATE INDEX journal_time ON journal (time, identity);
    CREATE INDEX ledger_time ON ledger (time, identity);
    CREATE INDEX ledger_run ON ledger (substr(identity, 1, 36))
    """,
    """
    CREATE TABLE runs (
        run_id TEXT PRIMARY KEY,
        namespace TEXT NOT NULL,
        workflow_id TEXT NOT NULL,
        tenant TEXT NOT NULL,
        "user" TEXT,
        pattern TEXT NOT NULL,
        kind TEXT NOT NULL,
        status TEXT NOT NULL,
        started TEXT NOT NULL,
        ended TEXT,
        latency_ms DOUBLE PRECISION,
        served_by TEXT,
        model TEXT,
        label TEXT,
        variant TEXT,
        tier BIGINT,
        input_tokens BIGINT,
        output_tokens BIGINT,
        cost_nanousd BIGINT,
        saved_nanousd BIGINT,
        simulated INTEGER,
        error TEXT,
        parent TEXT,
        shadow_of TEXT
    );
    CREATE INDEX runs_started ON runs (started, run_id);
    CREATE INDEX runs_ended ON runs (namespace, ended);
    CREATE INDEX runs_running ON runs (namespace) WHERE status = 'running';
    CREATE INDEX runs_workflow ON runs (workflow_id);
    CREATE TABLE run_positions (
        namespace TEXT PRIMARY KEY,
        position TEXT NOT NULL,
        holder TEXT NOT NULL,
        expires DOUBLE PRECISION NOT NULL
    )
    """,
    """
    CREATE TABLE api_keys (
        id TEXT PRIMARY KEY,
        stored TEXT NOT NULL
    );
    ALTER TABLE ledger ADD COLUMN api_key TEXT;
    ALTER TABLE reservations ADD COLUMN api_key TEXT;
    CREATE INDEX reservations_api_key ON reservations (api_key, day) WHERE api_key IS NOT NULL;
    CREATE TABLE key_accounts (
        api_key TEXT NOT NULL,
        period TEXT NOT NULL,
        spent_nanousd BIGINT NOT NULL DEFAULT 0,
        PRIMARY KEY (api_key, period)
    )
    """,
    """
    CREATE TABLE requests (
        id TEXT PRIMARY KEY,
        caller TEXT NOT NULL,
        path TEXT NOT NULL,
        body_sha256 TEXT NOT NULL,
        idempotency_key TEXT,
        received DOUBLE PRECISION NOT NULL,
        delivered INTEGER NOT NULL DEFAULT 0
    );
    CREATE UNIQUE INDEX requests_keyed ON requests (caller, path, idempotency_key) WHERE idempotency_key IS NOT NULL;
    CREATE INDEX requests_body ON requests (caller, path, body_sha256, received);
    CREATE INDEX requests_received ON requests (received)
    """,
    """
    ALTER TABLE runs ADD COLUMN job TEXT;
    ALTER TABLE runs ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}';
    CREATE INDEX runs_job ON runs (job, started) WHERE job IS NOT NULL;
    CREATE INDEX runs_jobs ON runs (tenant, started, run_id) WHERE job IS NOT NULL;
    CREATE INDEX runs_jobs_by_status ON runs (tenant, status, started, run_id) WHERE job IS NOT NULL
    """,
    """
    CREATE TABLE answers (
        id TEXT PRIMARY KEY,
        tenant TEXT NOT NULL,
        kind TEXT NOT NULL,
        created DOUBLE PRECISION NOT NULL,
        model TEXT NOT NULL,
        metadata TEXT NOT NULL,
        body TEXT NOT NULL,
        namespace TEXT NOT NULL,
        run TEXT NOT NULL,
        pattern TEXT NOT NULL,
        previous TEXT,
        conversation TEXT,
        status TEXT NOT NULL,
        answer TEXT
    );
    CREATE INDEX answers_listed ON answers (tenant, kind, created, id);
    CREATE INDEX answers_created ON answers (created);
    CREATE INDEX answers_open ON answers (created) WHERE status = 'in_progress';
    CREATE INDEX answers_conversation ON answers (conversation) WHERE status = 'in_progress';
    CREATE TABLE conversations (
        id TEXT PRIMARY KEY,
        tenant TEXT NOT NULL,
        created DOUBLE PRECISION NOT NULL,
        used DOUBLE PRECISION NOT NULL,
        metadata TEXT NOT NULL
    );
    CREATE INDEX conversations_used ON conversations (used);
    CREATE TABLE kept_items (
        owner TEXT NOT NULL,
        number BIGINT NOT NULL,
        id TEXT NOT NULL,
        content TEXT NOT NULL,
        PRIMARY KEY (owner, number)
    );
    CREATE TABLE kept_media (
        owner TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        content BYTEA NOT NULL,
        PRIMARY KEY (owner, sha256)
    )
    """,
    """
    ALTER TABLE requests ADD COLUMN abandoned INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE waiters (
        request TEXT NOT NULL,
        waiter TEXT NOT NULL,
        expires DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (request, waiter)
    );
    ALTER TABLE answers ADD COLUMN run_id TEXT NOT NULL DEFAULT ''
    """,
    # Of what an earlier release was asked nobody knows it: its runs are left alone.
    """
    ALTER TABLE requests ADD COLUMN goes_on INTEGER NOT NULL DEFAULT 1
    """,
    """
    CREATE TABLE mcp_tools (
        server TEXT NOT NULL,
        tool TEXT NOT NULL,
        definition TEXT NOT NULL,
        accepted DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (server, tool)
    );
    CREATE TABLE mcp_calls (
        identity TEXT PRIMARY KEY,
        time TEXT NOT NULL,
        answer TEXT
    );
    CREATE INDEX mcp_calls_time ON mcp_calls (time, identity)
    """,
    """
    CREATE TABLE batches (
        key TEXT PRIMARY KEY,
        namespace TEXT NOT NULL,
        tenant TEXT NOT NULL,
        id TEXT NOT NULL,
        pattern TEXT NOT NULL,
        created TEXT NOT NULL,
        state TEXT NOT NULL,
        digest TEXT NOT NULL,
        terms TEXT NOT NULL
    );
    CREATE INDEX batches_created ON batches (created, key);
    CREATE TABLE batch_items (
        batch TEXT NOT NULL,
        number BIGINT NOT NULL,
        own TEXT,
        input TEXT NOT NULL,
        state TEXT NOT NULL,
        result TEXT,
        cost_nanousd BIGINT,
        unpriced INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (batch, number)
    );
    CREATE INDEX batch_items_state ON batch_items (batch, state, number, cost_nanousd, unpriced);
    CREATE UNIQUE INDEX batch_items_own ON batch_items (batch, own) WHERE own IS NOT NULL
    """,
    """
    ALTER TABLE batches ADD COLUMN ended TEXT;
    CREATE TABLE files (
        id TEXT PRIMARY KEY,
        tenant TEXT NOT NULL,
        created DOUBLE PRECISION NOT NULL,
        expires DOUBLE PRECISION NOT NULL,
        filename TEXT NOT NULL,
        bytes BIGINT NOT NULL,
        content BYTEA NOT NULL
    );
    CREATE INDEX files_listed ON files (tenant, created, id);
    CREATE INDEX files_expires ON files (expires)
    """,
    """
    CREATE TABLE vault (
        tenant TEXT NOT NULL,
        owner TEXT NOT NULL,
        name TEXT NOT NULL,
        created DOUBLE PRECISION NOT NULL,
        content BYTEA NOT NULL,
        PRIMARY KEY (tenant, owner, name)
    );
    CREATE INDEX vault_created ON vault (created)
    """,
    """
    CREATE TABLE audit_chains (
        tenant TEXT PRIMARY KEY,
        seq BIGINT NOT NULL,
        hash TEXT NOT NULL,
        pruned BIGINT NOT NULL,
        pruned_hash TEXT NOT NULL,
        pruned_before TEXT NOT NULL
    );
    CREATE TABLE audit (
        tenant TEXT NOT NULL,
        seq BIGINT NOT NULL,
        time TEXT NOT NULL,
        run TEXT,
        event TEXT NOT NULL,
        entry TEXT NOT NULL,
        hash TEXT NOT NULL,
        PRIMARY KEY (tenant, seq)
    );
    CREATE UNIQUE INDEX audit_run ON audit (run, event) WHERE run IS NOT NULL;
    CREATE TABLE audit_people (
        tenant TEXT NOT NULL,
        "user" TEXT NOT NULL,
        pseudonym TEXT NOT NULL,
        salt TEXT NOT NULL,
        PRIMARY KEY (tenant, "user")
    )
    """,
    """
    CREATE TABLE provider_batches (
        token TEXT PRIMARY KEY,
        batch TEXT NOT NULL,
        created DOUBLE PRECISION NOT NULL,
        remote TEXT,
        nanousd BIGINT NOT NULL,
        ended INTEGER NOT NULL DEFAULT 0,
        sent TEXT NOT NULL
    );
    CREATE INDEX provider_batches_batch ON provider_batches (batch, ended);
    CREATE INDEX provider_batches_created ON provider_batches (created)
    """,
    """
    CREATE TABLE events (
        id TEXT PRIMARY KEY,
        seq BIGINT,
        type TEXT NOT NULL,
        subject TEXT NOT NULL,
        tenant TEXT,
        pattern TEXT,
        time TEXT NOT NULL,
        entered DOUBLE PRECISION NOT NULL,
        data TEXT NOT NULL
    );
    CREATE UNIQUE INDEX events_seq ON events (seq) WHERE seq IS NOT NULL;
    CREATE INDEX events_new ON events (entered, id) WHERE seq IS NULL;
    CREATE INDEX events_entered ON events (entered, id);
    CREATE INDEX events_budgets ON events (time) WHERE type = 'budget.exceeded';
    CREATE TABLE event_positions (
        name TEXT PRIMARY KEY,
        seq BIGINT NOT NULL,
        given_up BIGINT NOT NULL DEFAULT 0,
        holder TEXT NOT NULL DEFAULT '',
        expires DOUBLE PRECISION NOT NULL DEFAULT 0
    );
    CREATE TABLE alerts (
        rule TEXT NOT NULL,
        label TEXT NOT NULL,
        firing INTEGER NOT NULL,
        incident BIGINT NOT NULL,
        since TEXT NOT NULL,
        value DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (rule, label)
    )
    """,
    """
    CREATE TABLE page_sessions (
        sha256 TEXT PRIMARY KEY,
        key_id TEXT NOT NULL,
        key_sha256 TEXT NOT NULL,
        expires DOUBLE PRECISION NOT NULL
    );
    CREATE INDEX page_sessions_expires ON page_sessions (expires);
    CREATE INDEX runs_of_tenant ON runs (tenant, started, run_id, pattern, status, cost_nanousd, saved_nanousd);
    CREATE INDEX runs_of_pattern ON runs (pattern, started, run_id, tenant, status, cost_nanousd, saved_nanousd)
    """,
    """
    CREATE TABLE ratings (
        run_id TEXT NOT NULL,
        tenant TEXT NOT NULL,
        rater TEXT NOT NULL,
        dimension TEXT NOT NULL,
        value DOUBLE PRECISION NOT NULL,
        scale TEXT NOT NULL,
        comment TEXT,
        time TEXT NOT NULL,
        source TEXT NOT NULL,
        PRIMARY KEY (run_id, rater, dimension)
    );
    CREATE INDEX ratings_time ON ratings (time, run_id);
    CREATE INDEX ratings_rater ON ratings (rater)
    """,
    """
    CREATE TABLE shifts (
        pattern TEXT NOT NULL,
        number BIGINT NOT NULL,
        time TEXT NOT NULL,
        shift TEXT NOT NULL,
        PRIMARY KEY (pattern, number)
    )
    """,
    """
    ALTER TABLE journal ADD COLUMN namespace TEXT NOT NULL DEFAULT '';
    ALTER TABLE journal ADD COLUMN question TEXT;
    ALTER TABLE journal ADD COLUMN taken TEXT;
    CREATE INDEX journal_question ON journal (question)
    """,
)

PAYLOADS = (
    """
    CREATE TABLE payloads (
        sha256 TEXT NOT NULL,
        namespace TEXT NOT NULL,
        used DOUBLE PRECISION NOT NULL,
        content BYTEA NOT NULL,
        PRIMARY KEY (sha256, namespace)
    );
    CREATE INDEX payloads_used ON payloads (namespace, used, sha256)
    """,
    """
    CREATE TABLE turns (
        digest TEXT NOT NULL,
        namespace TEXT NOT NULL,
        parent TEXT,
        depth BIGINT NOT NULL,
        tokens BIGINT NOT NULL,
        used DOUBLE PRECISION NOT NULL,
        content TEXT NOT NULL,
        PRIMARY KEY (digest, namespace)
    );
    CREATE INDEX turns_used ON turns (namespace, used, digest);
    CREATE INDEX turns_parent ON turns (namespace, parent);
    CREATE TABLE agent_conversations (
        namespace TEXT NOT NULL,
        tenant TEXT NOT NULL,
        pattern TEXT NOT NULL,
        id TEXT NOT NULL,
        digest TEXT NOT NULL,
        used DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (namespace, tenant, pattern, id)
    )
    """,
    """
    CREATE TABLE payload_owners (
        namespace TEXT NOT NULL,
        owner TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        PRIMARY KEY (namespace, owner, sha256)
    );
    CREATE INDEX payload_owners_sha256 ON payload_owners (namespace, sha256)
    """,
)

LIMITS = (
    """
    CREATE TABLE limit_scopes (scope TEXT PRIMARY KEY);
    CREATE TABLE limit_windows (
        scope TEXT NOT NULL,
        width BIGINT NOT NULL,
        slot BIGINT NOT NULL,
        requests BIGINT NOT NULL,
        tokens BIGINT NOT NULL,
        PRIMARY KEY (scope, width, slot)
    );
    CREATE TABLE limit_places (
        scope TEXT NOT NULL,
        holder TEXT NOT NULL,
        expires DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (scope, holder)
    );
    CREATE TABLE limit_turns (
        scope TEXT NOT NULL,
        holder TEXT NOT NULL,
        since DOUBLE PRECISION NOT NULL,
        tokens BIGINT NOT NULL,
        expires DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (scope, holder)
    )
    """,
)

STREAMS = (
    """
    CREATE TABLE streams (
        run TEXT PRIMARY KEY,
        path TEXT NOT NULL,
        attempt BIGINT NOT NULL,
        pieces BIGINT NOT NULL,
        bytes BIGINT NOT NULL,
        time DOUBLE PRECISION NOT NULL
    );
    CREATE INDEX streams_time ON streams (time);
    CREATE TABLE stream_batches (
        run TEXT NOT NULL,
        last BIGINT NOT NULL,
        pieces TEXT NOT NULL,
        PRIMARY KEY (run, last)
    )
    """,
)

Part = Literal["store", "limits", "payloads", "streams"]

PARTS: Mapping[Part, Sequence[str]] = {"store": STORE, "limits": LIMITS, "payloads": PAYLOADS, "streams": STREAMS}
