namespace Telemetry.Storage.Postgres.DeadLetters;

/// <summary>A dead letter as it is in the database.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Letter">The letter.</param>
/// <param name="Bytes">The number of its bytes; a list does not read the bytes themselves.</param>
/// <param name="StoredAt">When it was rejected.</param>
/// <param name="RetriedAt">When its readings were stored by a retry; null while they count as rejected.</param>
public sealed record DeadLetterRecord(
    long Id, DeadLetterRow Letter, int Bytes, DateTime StoredAt, DateTime? RetriedAt);

/// <summary>Selects dead letters; null means any.</summary>
public sealed record DeadLetterFilter
{
    /// <summary>The gateway.</summary>
    public string? Gateway { get; init; }

    /// <summary>The reason.</summary>
    public DeadLetterReason? Reason { get; init; }

    /// <summary>Rejected at this time or later.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>True: includes those that were retried.</summary>
    public bool Retried { get; init; }

    /// <summary>Only those with a greater id.</summary>
    public long After { get; init; }

    /// <summary>The most letters that are returned.</summary>
    public int Limit { get; init; } = 100;
}
