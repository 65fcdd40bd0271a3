using Telemetry.Alerting.Routes;

namespace Telemetry.Alerting.Relay;

/// <summary>How the relay works. Every limit says what happens when it is reached.</summary>
public sealed record RelayOptions
{
    /// <summary>
    /// The relay's name: the row of the lease, and Kafka's transactional id. It must be the same for all relays of one
    /// database. Two databases on one Kafka must differ in it and in the position topic.
    /// </summary>
    public string Name { get; init; } = "telemetry-relay";

    /// <summary>
    /// The owner's name in the lease, for operators. Two relays must not have the same name: a relay takes a lease that
    /// carries its own owner's name at once, without waiting for it to run out.
    /// </summary>
    public string Owner { get; init; } = Environment.MachineName;

    /// <summary>CloudEvents' source of every event: a URI reference.</summary>
    public string Source { get; init; } = "/telemetry";

    /// <summary>The topics beside the alert topic.</summary>
    public AlertRoutes Routes { get; init; } = AlertRoutes.None;

    /// <summary>The compacted topic of open alerts; empty: none.</summary>
    public string StateTopic { get; init; } = "";

    /// <summary>
    /// How long the lease lasts without renewal, by the database's clock. After a crash, another relay waits this long.
    /// </summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often the lease is renewed.</summary>
    public TimeSpan RenewEvery { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often a standby relay asks for the lease.</summary>
    public TimeSpan LeaseRetry { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often the outbox is queried while it has nothing new.</summary>
    public TimeSpan PollEvery { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The most rows of one transaction; the rest waits for the next one.</summary>
    public int BatchRowsMax { get; init; } = 500;

    /// <summary>
    /// The most bytes of one transaction's rows (the last row may exceed it); the rest waits for the next one.
    /// </summary>
    public int BatchBytesMax { get; init; } = 1 << 20;

    /// <summary>The first pause after an error; it doubles, with jitter, up to <see cref="RetryAfterMax"/>.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>The longest pause after an error.</summary>
    public TimeSpan RetryAfterMax { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>After this many aborted transactions in a row the producer is given up and a new one begins.</summary>
    public int AbortsMax { get; init; } = 5;

    /// <summary>
    /// How far the clocks of database, relay and brokers may differ: the topic is read back by this much more.
    /// </summary>
    public TimeSpan ReadBackMargin { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// How long after a restore of the database the ids found in the topic are skipped when they occur in the outbox
    /// again. Not less than the log's maximum age, because the log can bring them again for that time.
    /// </summary>
    public TimeSpan SkipFor { get; init; } = TimeSpan.FromDays(8);

    /// <summary>
    /// The most ids that are read back. If there are more, the relay publishes nothing and reports it, until this is
    /// raised.
    /// </summary>
    public int ReadBackIdsMax { get; init; } = 2_000_000;
}
