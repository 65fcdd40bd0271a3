using System.Text.RegularExpressions;

namespace Telemetry.Integration.Storage;

/// <summary>What docs/guides/windows.md tells an engineer to copy works.</summary>
public sealed class WindowsGuideTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    [Fact]
    public async Task Every_query_of_the_guide_is_one_that_the_database_takes()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        var guide = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "windows.md"));
        var queries = Regex.Matches(guide, "(?s)```sql\n(.*?)```").Select(m => m.Groups[1].Value).ToArray();

        Assert.True(queries.Length >= 5, "the guide has few queries");
        foreach (var query in queries)
        {
            Assert.Empty(await database.Read(query, r => r.GetValue(0)));
        }
    }
}
