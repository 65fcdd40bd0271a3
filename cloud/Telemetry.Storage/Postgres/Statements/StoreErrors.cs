using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;

namespace Telemetry.Storage.Postgres.Statements;

/// <summary>Classifies the database's errors.</summary>
public static partial class StoreErrors
{
    /// <summary>True for errors of a database and its network; other exceptions are our own and pass through.</summary>
    public static bool IsDatabases(Exception e) => e is NpgsqlException or TimeoutException or IOException
        or System.Net.Sockets.SocketException or ObjectDisposedException;

    /// <summary>Translates an error.</summary>
    /// <param name="what">What was being done.</param>
    /// <param name="e">The error.</param>
    /// <param name="committing">True when COMMIT had been sent.</param>
    public static StoreException From(string what, Exception e, bool committing = false) => new(
        $"{what}: {Describe(e)}", IsDataFault(e), committing && !IsSurelyRolledBack(e), e)
    {
        Reading = ReadingOf(e),
        IsUnreachable = IsUnreachable(e),
    };

    /// <summary>
    /// True when there was no answer, when the server is stopping or starting, or when it ended the connection.
    /// </summary>
    public static bool IsUnreachable(Exception e) =>
        e is not PostgresException answer || answer.SqlState is ['5', '7', 'P', ..] or ['0', '8', ..];

    /// <summary>SQLSTATE class 22 or 23: the data of a row was refused.</summary>
    public static bool IsDataFault(Exception e) => e is PostgresException { SqlState: ['2', '2' or '3', ..] };

    // An error in answer to COMMIT means that the transaction was rolled back, except two states that mean "unknown". A
    // fatal error ends the session, perhaps between the commit and its answer.
    private static bool IsSurelyRolledBack(Exception e) => e is PostgresException { InvariantSeverity: "ERROR" } answer
        && answer.SqlState is not (['0', '8', ..] or PostgresErrorCodes.StatementCompletionUnknown);

    // The server reports where a COPY failed: "COPY reading_arrived, line 7, column t", in its own language.
    private static int? ReadingOf(Exception e) =>
        e is PostgresException { Where: { } where } && CopyLine().Match(where) is { Success: true } match
            && int.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var line)
            && line > 0
            ? line - 1
            : null;

    [GeneratedRegex(@"^COPY reading(?:_arrived)?, \D*(\d+)", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex CopyLine();

    private static string Describe(Exception e) => e is PostgresException answer
        ? $"{answer.SqlState} {answer.MessageText}{(answer.Detail is { } detail ? $" ({detail})" : "")}"
        : e.Message;
}
