using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Storage.Alerts;
using Telemetry.Storage.Windows;

namespace Telemetry.Storage;

/// <summary>
/// The ledger's row of one epoch. A complete epoch has no lanes, only its last sequences and its lost runs.
/// </summary>
/// <param name="Gateway">The epoch's gateway.</param>
/// <param name="Epoch">Its id.</param>
/// <param name="Predecessor">The predecessor named by its frames and hellos; null until one named it.</param>
/// <param name="Complete">Every sequence up to the last is settled and a successor is known.</param>
/// <param name="Lasts">The last sequences ever announced; for a complete epoch, its last sequences.</param>
/// <param name="Outbox">The outbox whose hello named it first; null until one did.</param>
public sealed record EpochLedgerRow(
    GatewayId Gateway, ulong Epoch, Predecessor? Predecessor, bool Complete, LaneLasts Lasts, ulong? Outbox = null);

/// <summary>The settled prefix of one lane of one epoch.</summary>
public sealed record LaneLedgerRow(GatewayId Gateway, ulong Epoch, Lane Lane, long Prefix, ulong PrefixShare);

/// <summary>A run of settled or lost sequences beyond the prefix; its key is (gateway, epoch, lane, first).</summary>
public sealed record RunRow(GatewayId Gateway, ulong Epoch, Lane Lane, SettledRun Run);

/// <summary>Identifies a run.</summary>
public readonly record struct RunId(GatewayId Gateway, ulong Epoch, Lane Lane, long First);

/// <summary>
/// A gateway's totals and watermark. Totals are absolute: the compare-and-set proves that nobody else wrote.
/// </summary>
/// <param name="Gateway">The gateway.</param>
/// <param name="Partition">Its partition.</param>
/// <param name="Stored">Readings stored.</param>
/// <param name="Rejected">Readings kept as dead letters.</param>
/// <param name="Dropped">Readings declared as dropped.</param>
/// <param name="Lost">Readings that nobody has any more.</param>
/// <param name="Watermark">
/// The greatest W whose promise is settled; <see cref="long.MinValue"/> before the first.
/// </param>
/// <param name="Fork">Forks that were seen and that no operator has explained yet, one per line; empty for
/// none.</param>
public sealed record GatewayRow(
    GatewayId Gateway, int Partition, long Stored, long Rejected, long Dropped, long Lost, long Watermark, string Fork)
{
    /// <summary>
    /// Forks that an operator explained, one per line. Only an operator's command writes it, no commit.
    /// </summary>
    public string ForkResolved { get; init; } = "";

    /// <summary>The event times of the windows whose parts are in the owner's memory alone.</summary>
    public OpenSpan OpenWindows { get; init; } = OpenSpan.None;

    /// <summary>A gateway that was not seen before.</summary>
    public static GatewayRow New(GatewayId gateway, int partition) =>
        new(gateway, partition, 0, 0, 0, 0, long.MinValue, "");
}

/// <summary>The accepted total of one outbox as the gateway reported it; the database keeps the greatest.</summary>
public sealed record OutboxRow(GatewayId Gateway, ulong Outbox, long Accepted);

/// <summary>Everything that <see cref="IStore.LoadGatewaysAsync"/> returns for one gateway.</summary>
public sealed record GatewayRecord(
    GatewayRow? Gateway,
    GatewayId Id,
    IReadOnlyList<EpochLedgerRow> Epochs,
    IReadOnlyList<LaneLedgerRow> Lanes,
    IReadOnlyList<RunRow> Runs,
    IReadOnlyList<OutboxRow> Outboxes,
    IReadOnlyList<AlertStateRow> AlertStates)
{
    /// <summary>The messages that wait for a schema, the oldest first, with the number of their bytes.</summary>
    public IReadOnlyList<(WaitingId Id, int Bytes)> Waiting { get; init; } = [];
}
