using Telemetry.Model.Wire;
using Telemetry.Processing.Alerts.Rules;
using Telemetry.Processing.Partitions;
using Telemetry.Processing.Windows;

namespace Telemetry.Processing;

/// <summary>How a processor works. Every limit says what happens at it.</summary>
public sealed record ProcessorOptions
{
    /// <summary>
    /// P: how many partitions there are, 1 to 1,024. Fixed at installation: a gateway's partition follows from it.
    /// </summary>
    public int Partitions { get; init; } = 16;

    /// <summary>
    /// How many workers the process has. Workers are processors side by side, each with its own thread and
    /// transactions, so that one gathers and decodes while the database works for another.
    /// </summary>
    public int Workers { get; init; } = 1;

    /// <summary>The number of workers of a cloud process, unless its configuration sets another.</summary>
    public const int WorkersDefault = 2;

    /// <summary>
    /// The number of this worker, from 0. It asks only for the partitions p with p mod workers = worker.
    /// </summary>
    public int Worker { get; init; }

    /// <summary>
    /// The owner's name in the lease, for operators. Two processes must not have the same name: a processor takes a
    /// lease that carries its own owner's name at once, without waiting for it to run out.
    /// </summary>
    public string Owner { get; init; } = Environment.MachineName;

    /// <summary>
    /// How long a lease lasts without renewal, by the database's clock. After a crash, another processor waits this
    /// long.
    /// </summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(2.5);

    /// <summary>
    /// How often a lease is renewed (and the database's row compared) while nothing else is committed.
    /// </summary>
    public TimeSpan RenewEvery { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How often the worker checks the leases. At each check it reports that it is alive and takes leases that are
    /// free. A lease that has run out is taken at the second check, at least a second after the first.
    /// </summary>
    public TimeSpan LeaseRetry { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How long frames gather for one transaction after the first one has arrived.</summary>
    public TimeSpan GatherTime { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// The most readings of one transaction, duplicates included. At the limit (which one more frame of each stream may
    /// exceed) the transaction begins, and the rest waits for the next one.
    /// </summary>
    public int BatchReadingsMax { get; init; } = 30_000;

    /// <summary>
    /// The most gateways kept in memory for each partition. Beyond it, gateways not in use are forgotten, and loaded
    /// again when they are needed.
    /// </summary>
    public int GatewaysMax { get; init; } = 20_000;

    /// <summary>
    /// The most series of one gateway; a list that two schemas extend differently counts once for each. A schema beyond
    /// this limit, or beyond one of the next two, is refused and kept as a dead letter: the frames that need it wait at
    /// the edge, and the gateway's other frames are stored. An agent has at most 65,536 series.
    /// </summary>
    public int GatewaySeriesMax { get; init; } = 100_000;

    /// <summary>The most schemas of one gateway: the steps in which its series were added.</summary>
    public int GatewaySchemasMax { get; init; } = 100_000;

    /// <summary>The most bytes that the additions of all schemas of one gateway take together.</summary>
    public long GatewaySchemaBytesMax { get; init; } = 64 << 20;

    /// <summary>
    /// The most hellos that wait for the next transaction. Beyond it hellos are dropped, and their agents repeat them.
    /// </summary>
    public int HellosMax { get; init; } = 4_096;

    /// <summary>
    /// How full a stream may be, in percent of its byte limit, before the owner purges the messages that the database
    /// has (except the message at the position). If the database is then restored to an earlier state, only the edge
    /// can supply those messages again, so the purge is logged.
    /// </summary>
    public int StreamFullPercent { get; init; } = 80;

    /// <summary>How often the sizes of the streams are checked.</summary>
    public TimeSpan TrimEvery { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long to wait after an error of the database or the log before the next try.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The earliest event time that is stored. An earlier reading becomes a dead letter with reason time, which can be
    /// retried after the range was widened. Default: the first time that a gateway can send, 0828-04-17.
    /// </summary>
    public DateTimeOffset TimeFirst { get; init; } =
        DateTimeOffset.UnixEpoch.AddTicks(WireReader.TimeMin * TimeSpan.TicksPerMicrosecond);

    /// <summary>
    /// The latest event time that is stored; see <see cref="TimeFirst"/>. Default: the last time that a gateway can
    /// send, 3111-09-16.
    /// </summary>
    public DateTimeOffset TimeLast { get; init; } =
        DateTimeOffset.UnixEpoch.AddTicks(WireReader.TimeMax * TimeSpan.TicksPerMicrosecond);

    /// <summary>From when on a stream that is behind is reported.</summary>
    public LagOptions Lag { get; init; } = new();

    /// <summary>The alert rules and their limits.</summary>
    public AlertOptions Alerts { get; init; } = new();

    /// <summary>The windows and their limits.</summary>
    public WindowOptions Windows { get; init; } = new();
}
