using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.WebUtilities;

namespace Telemetry.Inputs.Http;

/// <summary>
/// The two statements of InfluxQL that clients send before they write, and what an empty server answers.
/// </summary>
internal static partial class DatabaseStatements
{
    /// <summary>A longer form is none of theirs.</summary>
    private const int FormBytesMax = 8 * 1024;

    private const string Created = """{"results":[{"statement_id":0}]}""";

    private const string NoDatabases =
        """{"results":[{"statement_id":0,"series":[{"name":"databases","columns":["name"]}]}]}""";

    /// <summary>The answer's JSON; null when it is another statement, or more than one.</summary>
    public static string? Answer(string statement) =>
        Create().IsMatch(statement) ? Created
        : Show().IsMatch(statement) ? NoDatabases
        : null;

    /// <summary>The field <c>q</c> of a form; empty when there is none.</summary>
    public static string OfForm(ReadOnlySpan<byte> form) =>
        form.Length <= FormBytesMax
            && QueryHelpers.ParseQuery(Encoding.UTF8.GetString(form)).TryGetValue("q", out var statement)
            ? statement.ToString()
            : "";

    [GeneratedRegex(
        """^\s*CREATE\s+DATABASE\s+("([^"\\]|\\.)+"|[^\s;"]+)(\s+WITH\s[^;]*)?\s*;?\s*$""",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Create();

    [GeneratedRegex(@"^\s*SHOW\s+DATABASES\s*;?\s*$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Show();
}
