namespace Telemetry.Storage.Postgres.Chunks;

/// <summary>A chunk of a hypertable.</summary>
/// <param name="Name">Schema and name, quoted.</param>
/// <param name="Table">The hypertable's name.</param>
/// <param name="From">The first time that it may hold.</param>
/// <param name="To">The first time that it may not hold.</param>
/// <param name="Status">TimescaleDB's bits: 1 in the columnstore, 2 unordered, 4 frozen, 8 rows beside it.</param>
/// <param name="RowBytes">How large its part in row form is now.</param>
/// <param name="ConvertedBytes">How large in row form was what is in the columnstore; zero where that is not
/// known.</param>
/// <param name="ColumnBytes">How large its part in the columnstore is now.</param>
internal sealed record Chunk(
    string Name, string Table, DateTime From, DateTime To, int Status, long RowBytes, long ConvertedBytes,
    long ColumnBytes)
{
    /// <summary>The bit of a frozen chunk.</summary>
    public const int Frozen = 4;

    private const int Columnstore = 1, Unordered = 2, Partial = 8;

    /// <summary>How much smaller the columnstore is, where nothing is known: as it is for numbers.</summary>
    private const int Ratio = 40;

    /// <summary>How large all of it would be in row form.</summary>
    public long BytesAsRows => RowBytes + (ConvertedBytes > 0 ? ConvertedBytes : Ratio * ColumnBytes);

    /// <summary>Whether it has no part in the columnstore.</summary>
    public bool IsRows => (Status & Columnstore) == 0;

    /// <summary>Whether rows came after it was converted, or batches of it overlap.</summary>
    public bool IsChanged => !IsRows && (Status & (Unordered | Partial)) != 0;

    /// <summary>Whether somebody has forbidden changes of it.</summary>
    public bool IsFrozen => (Status & Frozen) != 0;
}
