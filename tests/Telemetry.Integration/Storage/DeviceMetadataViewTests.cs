using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Storage;
using Telemetry.Storage.Windows;
using static Telemetry.TestKit.Contracts.StoreSteps;

namespace Telemetry.Integration.Storage;

/// <summary>What people say of devices, joined in the views.</summary>
public sealed class DeviceMetadataViewTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    [Fact]
    public async Task Windows_of_every_view_have_the_metadata_of_their_device()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await Commit(database.Store, await Take(database.Store), c =>
        {
            var part = new WindowPart().Begin(
                c.Register(Series("pump", "flow")), new WindowSpan(1_700_000_040_000_000, 60));
            part.Add(part.Start, ReadingFlags.None, 0, 1);
            c.Parts.Add(part);
            c.Revisions.Add(new WindowRevisionRow(
                Gateway, new FrameKey(0xABCD, Lane.Backlog, 100, 50), RevisionCause.Late, part));
            c.Gateways.Add(GatewayRow.New(Gateway, 0));
        });
        await database.Execute("""
            INSERT INTO telemetry.device_metadata (gateway, device, site, location, labels, time_zone, limits)
            VALUES
                ('gw-1', 'pump', 'Plant 1', 'Hall 2', '{"line": "A"}', 'Europe/Berlin',
                    '{"flow": {"low": -1, "high": 5}}'),
                ('gw-1', 'fan', 'Plant 0', NULL, '{}', NULL, '{}')
            """);

        const string Columns = "home_gateway, site, location, device_labels, time_zone, series";
        var metadata = "gw-1|Plant 1|Hall 2|{\"line\": \"A\"}|Europe/Berlin|"
            + await database.Row("SELECT id FROM telemetry.series");
        foreach (var view in (string[])["windows", "windows_as_of(now())", "window_revisions", "late_readings"])
        {
            Assert.Equal(metadata, await database.Row($"SELECT {Columns} FROM telemetry.{view}"));
        }

        foreach (var view in (string[])["windows", "windows_as_of(now())"])
        {
            Assert.Equal("-1|5", await database.Row($"SELECT limit_low, limit_high FROM telemetry.{view}"));
        }

        foreach (var view in (string[])["books", "lag", "watermarks"])
        {
            Assert.Equal("Plant 0, Plant 1", await database.Row(
                $"SELECT array_to_string(sites, ', ') FROM telemetry.{view} WHERE gateway = 'gw-1'"));
        }
    }
}
