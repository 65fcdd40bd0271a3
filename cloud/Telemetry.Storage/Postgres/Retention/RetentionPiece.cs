namespace Telemetry.Storage.Postgres.Retention;

/// <summary>A table that holds some event times of readings or of parts of windows.</summary>
/// <param name="Table">Its name, with the schema.</param>
/// <param name="From">The first event time in it.</param>
/// <param name="To">The first event time after it.</param>
/// <param name="IsCompressed">True for a chunk in the columnstore.</param>
/// <param name="HasIndex">True when rows of a series are found by an index.</param>
internal sealed record RetentionPiece(string Table, DateTime From, DateTime To, bool IsCompressed, bool HasIndex)
{
    /// <summary>False for a table of plain PostgreSQL that has rows of every time.</summary>
    public bool IsBounded => From > DateTime.MinValue;
}
