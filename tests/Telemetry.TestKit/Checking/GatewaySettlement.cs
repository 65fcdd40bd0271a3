using Telemetry.Model.Schemas;

namespace Telemetry.TestKit.Checking;

/// <summary>What the database says became of one gateway's readings, beside the readings themselves.</summary>
public sealed record GatewaySettlement
{
    /// <summary>The gateway's own totals, as the ledger keeps them.</summary>
    public required Totals Ledger { get; init; }

    /// <summary>Sum over its outboxes of the greatest accepted total told.</summary>
    public long Accepted { get; init; }

    /// <summary>Readings named by dead letters that stand for one reading each.</summary>
    public IReadOnlyList<Rejection> Rejections { get; init; } = [];

    /// <summary>Readings in dead letters that stand for a whole frame, which name no series.</summary>
    public long RejectedWithFrames { get; init; }

    /// <summary>What was declared dropped.</summary>
    public IReadOnlyList<DropDeclaration> Drops { get; init; } = [];

    /// <summary>Sequences in runs called lost.</summary>
    public long LostInRuns { get; init; }

    /// <summary>
    /// Sum mod 2^64 of the hash sums of the registered frames; null when the register is not whole any more.
    /// </summary>
    public ulong? HashSum { get; init; }

    /// <summary>The kind of fork shown; empty for none.</summary>
    public string Fork { get; init; } = "";
}

/// <summary>Totals of a gateway.</summary>
public readonly record struct Totals(long Stored, long Rejected, long Dropped, long Lost)
{
    /// <summary>What was declared in place of being stored.</summary>
    public long Declared => Rejected + Dropped + Lost;
}

/// <summary>One rejected reading.</summary>
public readonly record struct Rejection(SeriesIdentity Series, long Time);

/// <summary>So many readings of a series between two times were dropped.</summary>
public readonly record struct DropDeclaration(SeriesIdentity Series, int Readings, long TimeFirst, long TimeLast);
