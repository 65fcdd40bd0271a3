using Telemetry.Model.Schemas;

namespace Telemetry.TestKit.Checking;

/// <summary>The state of one gateway's readings in the database, without the readings themselves.</summary>
public sealed record GatewaySettlement
{
    /// <summary>The gateway's own totals, as the ledger keeps them.</summary>
    public required Totals Ledger { get; init; }

    /// <summary>The sum over its outboxes of the greatest accepted total that each reported.</summary>
    public long Accepted { get; init; }

    /// <summary>Readings named by dead letters that stand for one reading each.</summary>
    public IReadOnlyList<Rejection> Rejections { get; init; } = [];

    /// <summary>Readings in dead letters that stand for a whole frame, which name no series.</summary>
    public long RejectedWithFrames { get; init; }

    /// <summary>The declarations of drops.</summary>
    public IReadOnlyList<DropDeclaration> Drops { get; init; } = [];

    /// <summary>Sequences in lost runs.</summary>
    public long LostInRuns { get; init; }

    /// <summary>Readings that were stored, and that retention has removed.</summary>
    public long Retired { get; init; }

    /// <summary>
    /// The sum modulo 2^64 of the hash sums of the registered frames; null when the register is no longer complete.
    /// </summary>
    public ulong? HashSum { get; init; }

    /// <summary>The forks that are shown; empty for none.</summary>
    public string Fork { get; init; } = "";
}

/// <summary>Totals of a gateway.</summary>
public readonly record struct Totals(long Stored, long Rejected, long Dropped, long Lost)
{
    /// <summary>The readings that are declared instead of stored.</summary>
    public long Declared => Rejected + Dropped + Lost;
}

/// <summary>One rejected reading.</summary>
public readonly record struct Rejection(SeriesIdentity Series, long Time);

/// <summary>This many readings of a series between two times were dropped.</summary>
public readonly record struct DropDeclaration(SeriesIdentity Series, int Readings, long TimeFirst, long TimeLast);
