using System.Text.Json.Nodes;
using Npgsql;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Storage;

/// <summary>Every query of the Grafana dashboards runs for the role that reads views alone.</summary>
public sealed class GrafanaQueriesTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    [PostgresFact]
    public async Task Queries_of_the_dashboards_run_as_the_reader()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await using var connection = await database.OpenConnection();
        await using var role = new NpgsqlCommand("SET ROLE telemetry_reader", connection);
        await role.ExecuteNonQueryAsync();
        var queries = Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "grafana"), "*.json")
            .SelectMany(file => Texts(JsonNode.Parse(File.ReadAllText(file)))).ToList();

        Assert.InRange(queries.Count, 10, 1000);
        foreach (var query in queries)
        {
            await using var command = new NpgsqlCommand(Filled(query), connection);
            await using var reader = await command.ExecuteReaderAsync();
            Assert.True(reader.FieldCount > 0, query);
        }
    }

    // Statements of panels and of variables.
    private static IEnumerable<string> Texts(JsonNode? node) => node switch
    {
        JsonObject some => some.SelectMany(p => p.Key is "rawSql" or "query" && p.Value is JsonValue text
            ? [text.GetValue<string>()] : Texts(p.Value)),
        JsonArray all => all.SelectMany(Texts),
        _ => [],
    };

    private static string Filled(string query) => query
        .Replace("$__timeFilter(start)", "start > now() - interval '1 hour'", StringComparison.Ordinal)
        .Replace("$__timeFilter(fired_at)", "fired_at > now() - interval '1 hour'", StringComparison.Ordinal)
        .Replace("$gateway", "gw-1", StringComparison.Ordinal)
        .Replace("$metric", "temperature", StringComparison.Ordinal);
}
