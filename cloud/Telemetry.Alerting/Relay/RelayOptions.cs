namespace Telemetry.Alerting.Relay;

/// <summary>How the relay works. Every limit says what happens at it.</summary>
public sealed record RelayOptions
{
    /// <summary>
    /// Names the relay: row of the lease, and Kafka's transactional id. All relays of one database have the same; two
    /// databases on one Kafka must differ in it and in the position topic.
    /// </summary>
    public string Name { get; init; } = "telemetry-relay";

    /// <summary>
    /// The owner's name in the lease, for operators. No two relays may have the same: a lease goes at once to who has
    /// its owner's name.
    /// </summary>
    public string Owner { get; init; } = Environment.MachineName;

    /// <summary>CloudEvents' source of every event: a URI reference.</summary>
    public string Source { get; init; } = "/telemetry";

    /// <summary>
    /// How long the lease lasts without renewal, by the database's clock. Another relay waits as long after a crash.
    /// </summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often the lease is renewed.</summary>
    public TimeSpan RenewEvery { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often a lease that another relay holds is asked for.</summary>
    public TimeSpan LeaseRetry { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often the outbox is looked at while nothing is in it.</summary>
    public TimeSpan PollEvery { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Rows of one transaction; the rest waits for the next.</summary>
    public int BatchRowsMax { get; init; } = 500;

    /// <summary>Bytes of one transaction's rows (the last one may go beyond); the rest waits for the next.</summary>
    public int BatchBytesMax { get; init; } = 1 << 20;

    /// <summary>The first wait after an error; it doubles, with jitter, up to <see cref="RetryAfterMax"/>.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>The longest wait after an error.</summary>
    public TimeSpan RetryAfterMax { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Transactions aborted in a row before the producer is given up and a new one begins.</summary>
    public int AbortsMax { get; init; } = 5;

    /// <summary>
    /// How far the clocks of database, relay and brokers may differ: so much more of the topic is read back.
    /// </summary>
    public TimeSpan ReadBackMargin { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// For how long after a put-back the ids found in the topic are skipped when the outbox brings them again. Not less
    /// than the log's maximum age: so long it can bring them.
    /// </summary>
    public TimeSpan SkipFor { get; init; } = TimeSpan.FromDays(8);

    /// <summary>
    /// Ids that are read back at most; with more the relay publishes nothing, and says so, until this is raised.
    /// </summary>
    public int ReadBackIdsMax { get; init; } = 2_000_000;
}
