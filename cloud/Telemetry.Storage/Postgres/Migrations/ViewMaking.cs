using System.Text;
using System.Text.RegularExpressions;
using Npgsql;
using NpgsqlTypes;

namespace Telemetry.Storage.Postgres.Migrations;

/// <summary>
/// Makes the views and functions that people query anew whenever the tables are migrated, so that the text of each
/// stands in one place: the files Migrations/Views/*.sql. Who changes one of them raises
/// <see cref="MigrationRunner.Version"/>. Grants and owners of the old views are kept, and views of others that read
/// them are made again.
/// </summary>
internal sealed partial class ViewMaking
{
    /// <summary>The first version whose views are made this way; older ones have theirs in NNNN.views.sql.</summary>
    public const int SinceVersion = 14;

    // A file may read the views of those before it.
    private static readonly string[] Files = ["devices", "readings", "gateways", "windows", "spans", "alerts"];

    // Views of earlier versions that are no more.
    private static readonly string[] Removed = ["device_windows"];

    private const string DropSql = """
        DO $$
        DECLARE
            views text := (SELECT string_agg(oid::regclass::text, ', ') FROM kept_view);
            functions text := (SELECT string_agg(oid::regprocedure::text, ', ') FROM kept_function);
        BEGIN
            IF views IS NOT NULL THEN
                EXECUTE 'DROP VIEW ' || views;
            END IF;
            IF functions IS NOT NULL THEN
                EXECUTE 'DROP FUNCTION ' || functions;
            END IF;
        END $$
        """;

    private readonly List<Kept> _views;
    private readonly List<Kept> _grants;

    private ViewMaking(List<Kept> views, List<Kept> grants) => (_views, _grants) = (views, grants);

    /// <summary>Drops the views and functions, and all views that read them.</summary>
    public static async Task<ViewMaking> DropAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var text = string.Concat(Files.Select(file => Read(file)));
        string[] Names(string kind) =>
            [.. Creation().Matches(text).Where(m => m.Groups[1].Value == kind).Select(m => m.Groups[2].Value)];
        await using (var find = new NpgsqlCommand(Read("keep"), connection))
        {
            await find.ExecuteNonQueryAsync(cancellationToken);
        }

        await using (var find = new NpgsqlCommand("SELECT pg_temp.keep_views($1, $2)", connection))
        {
            foreach (var names in (string[][])[[.. Names("VIEW"), .. Removed], Names("FUNCTION")])
            {
                find.Parameters.Add(new NpgsqlParameter
                {
                    Value = names,
                    NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
                });
            }

            await find.ExecuteNonQueryAsync(cancellationToken);
        }

        var views = await ReadAsync(connection, "kept_view WHERE depth > 0 ORDER BY depth, name", cancellationToken);
        var grants = await ReadAsync(connection, "kept_grant ORDER BY nr", cancellationToken);
        if (views.FirstOrDefault(v => v.Statement is null) is { } stored)
        {
            throw Refused($"The materialized view {stored.Name} reads views that this start makes anew.");
        }

        await using var drop = new NpgsqlCommand(DropSql, connection);
        await drop.ExecuteNonQueryAsync(cancellationToken);
        return new ViewMaking(views, grants);
    }

    /// <summary>Makes the views; <paramref name="parts"/> are the parts that migrations have on this edition.</summary>
    public async Task MakeAsync(NpgsqlConnection connection, string[] parts, CancellationToken cancellationToken)
    {
        foreach (var file in Files)
        {
            await ExecuteAsync(connection, OfParts(Read(file), parts), cancellationToken);
        }

        foreach (var view in _views)
        {
            try
            {
                await ExecuteAsync(connection, view.Statement!, cancellationToken);
            }
            catch (PostgresException e)
            {
                throw Refused(
                    $"The view {view.Name} reads views that this start makes anew, and does not fit the new ones "
                    + $"({e.MessageText}).");
            }
        }

        foreach (var grant in _grants)
        {
            await using var find = new NpgsqlCommand($"SELECT {grant.Name}", connection);
            if (await find.ExecuteScalarAsync(cancellationToken) is true)
            {
                await ExecuteAsync(connection, grant.Statement!, cancellationToken);
            }
        }
    }

    // Lines of the parts that this edition has; the others stay comments.
    private static string OfParts(string sql, string[] parts) =>
        parts.Where(p => p.Length > 0).Aggregate(
            new StringBuilder(sql), (text, part) => text.Replace($"\n--{part[1..]}:", "\n")).ToString();

    private static async Task<List<Kept>> ReadAsync(
        NpgsqlConnection connection, string from, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SELECT name, statement FROM pg_temp.{from}", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<Kept>();
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(new Kept(reader.GetString(0), reader.IsDBNull(1) ? null : reader.GetString(1)));
        }

        return rows;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static string Read(string file)
    {
        using var reader = new StreamReader(typeof(ViewMaking).Assembly
            .GetManifestResourceStream($"Telemetry.Migrations.Views.{file}.sql")!);
        return reader.ReadToEnd();
    }

    private static StoreException Refused(string what) => new(
        $"{what} Drop it, start again, and make it anew.", isDataFault: false, mayHaveCommitted: false);

    [GeneratedRegex(@"^CREATE (VIEW|FUNCTION) telemetry\.(\w+)", RegexOptions.Multiline)]
    private static partial Regex Creation();

    // Of a grant, the name is the condition under which it still fits.
    private sealed record Kept(string Name, string? Statement);
}
