namespace Telemetry.Integration.Storage;

/// <summary>
/// Plain PostgreSQL: readings that have arrived have no index, so a query has to scan them, but once, and not once for
/// each series. Upkeep has looked at the database.
/// </summary>
public sealed class ArrivedReadingsTests(ArrivedReadings arrived) : IClassFixture<ArrivedReadings>, IAsyncLifetime
{
    public Task InitializeAsync() => arrived.Database.IndexReadings();

    public Task DisposeAsync() => Task.CompletedTask;

    [Theory]
    [InlineData("SELECT * FROM telemetry.latest_readings('gw-1')")]
    [InlineData("SELECT * FROM telemetry.readings WHERE gateway = 'gw-1'")]
    [InlineData("SELECT * FROM telemetry.readings WHERE gateway IN ('gw-1', 'gw-2') AND time > now() - interval '1 h'")]
    [InlineData("SELECT * FROM telemetry.readings WHERE metric = 'm3' AND time > now() - interval '1 h'")]
    [InlineData("SELECT * FROM telemetry.readings WHERE site = 'plant' AND time > now() - interval '1 h'")]
    [InlineData("SELECT * FROM telemetry.reading_plain WHERE gateway = 'gw-1'")]
    [InlineData("SELECT * FROM telemetry.window_check('10 minutes')")]
    [InlineData("""
        SELECT w.start, w.mean, r.number FROM telemetry.windows w
        JOIN telemetry.readings r ON r.series = w.series AND r.time >= w.start AND r.time < w.until
        WHERE w.gateway = 'gw-2' AND w.start > now() - interval '10 minutes'
        """)]
    public async Task Query_of_many_series_scans_once(string sql) => Assert.Equal(1, await arrived.Scans(sql));

    [Theory]
    [InlineData("SELECT start, mean, stddev FROM telemetry.windows")]
    [InlineData("SELECT start, mean, max FROM telemetry.windows_by('hour', now() - interval '1 h', now())")]
    [InlineData("""
        SELECT start, mean, state FROM telemetry.group_windows('site', 'plant', 'm3', now() - interval '1 h', now())
        """)]
    [InlineData("SELECT * FROM telemetry.windows_as_of(now())")]
    [InlineData("SELECT * FROM telemetry.windows WHERE gateway = 'gw-2'")]
    public async Task Query_of_windows_scans_no_readings(string sql) => Assert.Equal(0, await arrived.Scans(sql));

    // Its number is what a part cannot say: see docs/reference/database.md.
    [Fact]
    public async Task Time_weighted_means_scan_once_for_each_series_with_windows_whose_parts_overlap()
    {
        Assert.Equal(
            ArrivedReadings.Disordered, await arrived.Scans("SELECT * FROM telemetry.windows WHERE gateway = 'gw-1'"));
        Assert.Equal(
            ArrivedReadings.Disordered,
            await arrived.Scans("SELECT * FROM telemetry.windows_by('hour', now() - interval '3 h', now())"));
    }
}
