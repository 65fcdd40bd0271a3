using System.Text.RegularExpressions;

namespace Telemetry.Tests.Architecture;

/// <summary>What a source file may not do. Each rule gives its offences as "path:line: what".</summary>
internal static partial class StyleRules
{
    public const int LinesMax = 350, ColumnsMax = 120;

    /// <summary>A longer file says why within its first lines, after this word.</summary>
    public const string LongReason = "Long:";

    private const int HeaderLines = 10;

    public static IEnumerable<string> TooLong(string path, string[] lines)
    {
        if (lines.Length > LinesMax
            && !lines.Take(HeaderLines).Any(line => line.Contains(LongReason, StringComparison.Ordinal)))
        {
            yield return
                $"{path}:{lines.Length}: over {LinesMax} lines, and no \"{LongReason}\" in its header says why";
        }
    }

    public static IEnumerable<string> TooWide(string path, string[] lines) =>
        from line in lines.Select((text, i) => (Text: text, Number: i + 1))
        where line.Text.Length > ColumnsMax
        select $"{path}:{line.Number}: {line.Text.Length} columns, at most {ColumnsMax}";

    public static IEnumerable<string> BadName(string path, string[] lines) =>
        VagueName().IsMatch(Path.GetFileNameWithoutExtension(path)) ? [$"{path}:1: a name that says nothing"] : [];

    public static IEnumerable<string> Region(string path, string[] lines) => Matches(path, lines, RegionDirective());

    /// <summary>Time and chance are injected; only Program.cs chooses the real ones.</summary>
    public static IEnumerable<string> AmbientTimeOrChance(string path, string[] lines) =>
        IsProduct(path) && Path.GetFileName(path) != "Program.cs" ? Matches(path, lines, Ambient()) : [];

    /// <summary>
    /// Ids come from the operating system's chance (SystemRandom): what a process keeps of its chance, or a seed of 31
    /// bits, is the same in two restores of one snapshot.
    /// </summary>
    public static IEnumerable<string> PredictableChance(string path, string[] lines) =>
        IsProduct(path) ? Matches(path, lines, Predictable()) : [];

    /// <summary>It would leave the one-thread pump on which the simulation runs.</summary>
    public static IEnumerable<string> LeftContext(string path, string[] lines) =>
        IsProduct(path) ? Matches(path, lines, LeavingContext()) : [];

    /// <summary>
    /// A transaction whose process is frozen must end: owners' commits are known by the partition's lock, readers hold
    /// nothing, all others begin with a time limit of the server's.
    /// </summary>
    public static IEnumerable<string> EndlessTransaction(string path, string[] lines) =>
        IsProduct(path) && !Path.GetFileName(path).StartsWith("BesideTransaction", StringComparison.Ordinal)
            && Path.GetFileName(path) is not ("CommitConnection.cs" or "LedgerReader.cs")
            ? Matches(path, lines, Transaction()) : [];

    private static bool IsProduct(string path) => !path.StartsWith("tests/", StringComparison.Ordinal);

    private static IEnumerable<string> Matches(string path, string[] lines, Regex forbidden) =>
        from line in lines.Select((text, i) => (Text: Comment().Replace(text, ""), Number: i + 1))
        let match = forbidden.Match(line.Text)
        where match.Success
        select $"{path}:{line.Number}: {match.Value.Trim()}";

    // From // on, unless it stands in an address.
    [GeneratedRegex("(?<!:)//.*")]
    private static partial Regex Comment();

    [GeneratedRegex(
        @"\bDateTime(Offset)?\.(UtcNow|Now|Today)\b|\bThread\.Sleep\b|\bRandom\.Shared\b"
        + @"|\bGuid\.(NewGuid|CreateVersion7)\b|\bnew Random\(\)")]
    private static partial Regex Ambient();

    [GeneratedRegex(@"\.BeginTransaction(Async)?\((?!\))")]
    private static partial Regex Transaction();

    [GeneratedRegex(@"\bRandom\.Shared\b|\bnew Random\(")]
    private static partial Regex Predictable();

    [GeneratedRegex(@"\bConfigureAwait\(\s*(continueOnCapturedContext:\s*)?false\s*\)")]
    private static partial Regex LeavingContext();

    [GeneratedRegex(@"^\s*#region\b")]
    private static partial Regex RegionDirective();

    [GeneratedRegex("Helper|Util(s|ity|ities)?($|[A-Z.])|Manager|^Common")]
    private static partial Regex VagueName();
}
