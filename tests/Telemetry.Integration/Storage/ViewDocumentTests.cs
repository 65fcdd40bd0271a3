using System.Text.RegularExpressions;
using Telemetry.Storage.Postgres.Migrations;

namespace Telemetry.Integration.Storage;

/// <summary>docs/reference/database.md describes what the readers' role sees, and nothing else.</summary>
public sealed partial class ViewDocumentTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private const string SeenSql = $"""
        SELECT c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, NULL)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
        WHERE c.relnamespace = 'telemetry'::regnamespace AND c.relkind = 'v'
            AND has_table_privilege('{ReaderRole.Name}', c.oid, 'SELECT')
        UNION ALL
        SELECT p.proname || '.' || a.name || ' ' || format_type(a.type, NULL)
        FROM pg_proc p CROSS JOIN unnest(p.proargnames, p.proallargtypes, p.proargmodes) a(name, type, mode)
        WHERE p.pronamespace = 'telemetry'::regnamespace AND a.mode = 't' AND p.provolatile <> 'v'
        """;

    [Fact]
    public async Task Every_view_function_and_column_is_described_and_nothing_else()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);

        var seen = await database.Read(SeenSql, r => r.GetString(0)
            .Replace("timestamp with time zone", "timestamptz", StringComparison.Ordinal)
            .Replace("double precision", "double", StringComparison.Ordinal));

        Assert.InRange(seen.Count, 200, 1000);
        Assert.Equal(seen.Order(StringComparer.Ordinal), Described().Order(StringComparer.Ordinal));
    }

    private static IEnumerable<string> Described()
    {
        var view = "";
        foreach (var line in File.ReadLines(Path.Combine(Root(AppContext.BaseDirectory), "docs/reference/database.md")))
        {
            if (Heading().Match(line) is { Success: true } heading)
            {
                view = heading.Groups[1].Value;
            }
            else if (Column().Match(line) is { Success: true } column)
            {
                yield return $"{view}.{column.Groups[1].Value} {column.Groups[2].Value}";
            }
        }
    }

    private static string Root(string folder) =>
        File.Exists(Path.Combine(folder, "Telemetry.sln")) ? folder : Root(Path.GetDirectoryName(folder)!);

    [GeneratedRegex("^## (.+)$")]
    private static partial Regex Heading();

    [GeneratedRegex(@"^\| `(\w+)` \| ([\w\[\]]+) \| .")]
    private static partial Regex Column();
}
