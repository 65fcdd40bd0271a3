using Telemetry.Model.Wire;
using Telemetry.Processing.Alerts.Rules;

namespace Telemetry.Processing;

/// <summary>How a processor works. Every limit says what happens at it.</summary>
public sealed record ProcessorOptions
{
    /// <summary>
    /// P: how many partitions there are, 1 to 1,024. Fixed at installation: a gateway's partition follows from it.
    /// </summary>
    public int Partitions { get; init; } = 16;

    /// <summary>
    /// How many workers the process has: processors side by side, each on its thread, with transactions of its own, so
    /// that one gathers and decodes while the database works for another.
    /// </summary>
    public int Workers { get; init; } = 1;

    /// <summary>Workers of a cloud process, unless its configuration says otherwise.</summary>
    public const int WorkersDefault = 2;

    /// <summary>
    /// Which of them this is, from 0: it asks for the partitions p with p mod workers = worker, and no others.
    /// </summary>
    public int Worker { get; init; }

    /// <summary>
    /// The owner's name in the lease, for operators. No two processes may have the same: a lease goes at once to who
    /// has its owner's name.
    /// </summary>
    public string Owner { get; init; } = Environment.MachineName;

    /// <summary>
    /// How long a lease lasts without renewal, by the database's clock. Another processor waits as long after a crash.
    /// </summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(2.5);

    /// <summary>
    /// How often a lease is renewed (and the database's row compared) while nothing else is committed.
    /// </summary>
    public TimeSpan RenewEvery { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How often the leases are looked at: this worker's sign of life, and its time to take what is free. One that ran
    /// out is taken at the second look, at least a second after the first.
    /// </summary>
    public TimeSpan LeaseRetry { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How long frames gather for one transaction once the first is there.</summary>
    public TimeSpan GatherTime { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// Readings of one transaction, duplicates counted; at the limit (and a frame more of each stream) the transaction
    /// begins, the rest waits for the next.
    /// </summary>
    public int BatchReadingsMax { get; init; } = 30_000;

    /// <summary>
    /// Gateways kept in memory a partition; beyond, those not in use are forgotten and loaded again when needed.
    /// </summary>
    public int GatewaysMax { get; init; } = 20_000;

    /// <summary>
    /// The most series of one gateway; a list that two schemas extend differently counts once for each. A schema beyond
    /// it, or beyond one of the next two, is refused and kept as a dead letter: the frames that need it wait at the
    /// edge, and the gateway's others are stored. An agent has at most 65,536.
    /// </summary>
    public int GatewaySeriesMax { get; init; } = 100_000;

    /// <summary>The most schemas of one gateway: the steps in which its series were added.</summary>
    public int GatewaySchemasMax { get; init; } = 100_000;

    /// <summary>The most bytes that the additions of all schemas of one gateway take together.</summary>
    public long GatewaySchemaBytesMax { get; init; } = 64 << 20;

    /// <summary>Hellos that wait for the next transaction; more are dropped, their agents repeat them.</summary>
    public int HellosMax { get; init; } = 4_096;

    /// <summary>
    /// How full a stream may be, in percent of its byte limit, before the owner purges what the database has (but for
    /// the message at the position). A database put back to before that can then be healed from the edge alone: it is
    /// logged.
    /// </summary>
    public int StreamFullPercent { get; init; } = 80;

    /// <summary>How often the streams' sizes are looked at.</summary>
    public TimeSpan TrimEvery { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long to wait after an error of database or log before the next try.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The earliest event time that is stored. An earlier reading is a dead letter of reason time, which can be retried
    /// once the range is wider. Default: the first that a gateway can send, 0828-04-17.
    /// </summary>
    public DateTimeOffset TimeFirst { get; init; } =
        DateTimeOffset.UnixEpoch.AddTicks(WireReader.TimeMin * TimeSpan.TicksPerMicrosecond);

    /// <summary>
    /// The latest event time that is stored; see <see cref="TimeFirst"/>. Default: the last that a gateway can send,
    /// 3111-09-16.
    /// </summary>
    public DateTimeOffset TimeLast { get; init; } =
        DateTimeOffset.UnixEpoch.AddTicks(WireReader.TimeMax * TimeSpan.TicksPerMicrosecond);

    /// <summary>The alert rules and their limits.</summary>
    public AlertOptions Alerts { get; init; } = new();
}
