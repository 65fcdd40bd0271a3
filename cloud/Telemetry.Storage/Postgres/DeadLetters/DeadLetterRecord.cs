namespace Telemetry.Storage.Postgres.DeadLetters;

/// <summary>A dead letter as the database has it.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Letter">What was kept.</param>
/// <param name="Bytes">How many bytes it has; a list does not read them.</param>
/// <param name="StoredAt">When it was rejected.</param>
/// <param name="RetriedAt">When its readings were stored after all; null while they count as rejected.</param>
public sealed record DeadLetterRecord(
    long Id, DeadLetterRow Letter, int Bytes, DateTime StoredAt, DateTime? RetriedAt);

/// <summary>Which dead letters; null asks for nothing.</summary>
public sealed record DeadLetterFilter
{
    /// <summary>Of one gateway.</summary>
    public string? Gateway { get; init; }

    /// <summary>Of one reason.</summary>
    public DeadLetterReason? Reason { get; init; }

    /// <summary>Rejected at this time or later.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Also those that were retried.</summary>
    public bool Retried { get; init; }

    /// <summary>Only those with a greater id.</summary>
    public long After { get; init; }

    /// <summary>The most that are given.</summary>
    public int Limit { get; init; } = 100;
}
