namespace Telemetry.Storage.Windows;

/// <summary>The entries of a windows file. The database has them once a processor started with the file.</summary>
/// <param name="File">The name of the file, for messages.</param>
/// <param name="Entries">In the order of the file; those of <see cref="WindowWidth.Beginning"/> are the first.</param>
public sealed record ConfiguredWidths(string File, IReadOnlyList<WindowWidth> Entries);

/// <summary>
/// A windows file does not agree with the widths in the database. Nothing was changed; each problem names the file and
/// the entry, and says what to do.
/// </summary>
public sealed class WindowWidthException(IReadOnlyList<string> problems) : Exception(string.Join("; ", problems))
{
    /// <summary>The problems, one a line.</summary>
    public IReadOnlyList<string> Problems { get; } = problems;
}
