using Telemetry.Cloud.Commands.Devices;
using Telemetry.Cloud.Configuration;
using Telemetry.Integration.Storage;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Postgres.Statements;
using Telemetry.Storage.Windows;
using Telemetry.TestKit.Servers;
using static Telemetry.TestKit.Contracts.StoreSteps;

namespace Telemetry.Integration.Cloud;

/// <summary>Devices are imported, listed and moved, and the views follow.</summary>
public sealed class DevicesCommandTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>, IAsyncLifetime
{
    private const long Second = 1_000_000;
    private static readonly DateTime Noon = new(2026, 11, 30, 12, 0, 0, DateTimeKind.Utc);
    private readonly TemporaryFolder _folder = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _folder.DisposeAsync();

    [Fact]
    public async Task Good_rows_go_in_beside_bad_ones_that_are_named_and_a_check_changes_nothing()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        var file = File("""
            gateway,device,site,time_zone,label.line,limit.temp.high
            gw-1,pump,Plant,europe/berlin,A,80
            gw-1,fan,Plant,Moon/Base,,
            gw-2,pump,,,,
            """);
        const string Bad = "line 3, column time_zone: 'Moon/Base' is not a time zone that the database knows";

        var check = await Run(database, "import", file, "--check");

        Assert.Equal(1, check.Code);
        Assert.Contains($"{file}: {Bad}", check.Text, StringComparison.Ordinal);
        Assert.Contains(
            $"{file}: 3 rows, 1 refused; of 2 devices 2 would be new, 0 changed, 0 as they were\n", check.Text,
            StringComparison.Ordinal);
        Assert.Equal("0", await database.Row("SELECT count(*) FROM telemetry.device_metadata"));

        var import = await Run(database, "import", file);

        Assert.Equal(1, import.Code);
        Assert.Contains(Bad, import.Text, StringComparison.Ordinal);
        Assert.Contains("of 2 devices 2 are new, 0 changed, 0 as they were\n", import.Text, StringComparison.Ordinal);
        Assert.Equal(
            """gw-1|pump|Plant||Europe/Berlin|{"line": "A"}|{"temp": {"high": 80}}""",
            await database.Row("""
                SELECT gateway, device, site, location, time_zone, labels::text, limits::text
                FROM telemetry.device_metadata WHERE gateway = 'gw-1'
                """));
    }

    [Fact]
    public async Task Import_replaces_what_was_said_and_leaves_the_devices_that_the_file_does_not_name()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await Run(database, "import", File("gateway,device,site,location\ng,a,S,L\ng,b,S,L\ng,c,S,L\n"));

        var (code, text) = await Run(
            database, "import", File("""
                {"gateway": "g", "device": "a", "site": "S", "location": "L"}
                {"gateway": "g", "device": "b", "site": "T"}
                """));

        Assert.Equal(0, code);
        Assert.Contains("of 2 devices 0 are new, 1 changed, 1 as they were\n", text, StringComparison.Ordinal);
        Assert.Equal(
            "a S L, b T -, c S L",
            await database.Row("""
                SELECT string_agg(concat(device, ' ', site, ' ', coalesce(location, '-')), ', ' ORDER BY device)
                FROM telemetry.devices
                """));
        Assert.Equal(
            ["g b T UTC {} no series yet"],
            Lines((await Run(database, "list", "--site", "T")).Text));
        Assert.Equal(3, Lines((await Run(database, "list", "--gateway", "g")).Text).Length);
        Assert.Equal(2, (await Run(database, "import", _folder.At("nowhere.csv"))).Code);
    }

    [Fact]
    public async Task Device_that_moved_has_one_history()
    {
        await using var database = await WithTwoPumps();
        await Run(database, "import", File("gateway,device,site,limit.Int 255.high\ngw-1,pump,Plant,5\n"));

        var (code, text) = await Run(
            database, "move", "pump", "--from", "gw-1", "--to", "gw-2", "--at", "2026-11-30T12:02:30Z");

        Assert.Equal(
            (0, """
                pump: of gateway gw-1 before 2026-11-30 12:02:30Z, of gw-2 from then on
                note: gateway gw-1 has readings of pump from 2026-11-30 12:02:30Z on: they stay a history of their own
                note: gateway gw-2 has readings of pump from before 2026-11-30 12:02:30Z: they belong to no history now

                """),
            (code, text));
        // Ten readings a minute: 1 at 12:00:00, 2 at 12:00:06 …; those of gw-2 are 1000 greater.
        const string History = "device = 'pump' AND site = 'Plant' AND home_gateway = 'gw-2'";
        Assert.Equal(
            "gw-1 1 25, gw-2 1026 1040",
            await database.Row($"""
                SELECT string_agg(concat_ws(' ', gateway, least, most), ', ' ORDER BY gateway)
                FROM (SELECT gateway, min(number) AS least, max(number) AS most FROM telemetry.readings
                      WHERE {History} GROUP BY gateway) g
                """));
        Assert.Equal("80", await database.Row("SELECT count(*) FROM telemetry.readings"));
        Assert.Equal(
            "gw-1 00 01 02, gw-2 02 03",
            await database.Row($"""
                SELECT string_agg(concat(gateway, ' ', minutes), ', ' ORDER BY gateway)
                FROM (SELECT gateway, string_agg(to_char(start, 'MI'), ' ' ORDER BY start) AS minutes
                      FROM telemetry.windows WHERE {History} GROUP BY gateway) g
                """));
        Assert.Equal("8|8", await database.Row("""
            SELECT (SELECT count(*) FROM telemetry.windows),
                (SELECT sum(windows)::bigint FROM telemetry.windows_hour)
            """));
        Assert.Equal(
            "gw-1 30, gw-2 20",
            await database.Row($"""
                SELECT string_agg(concat(gateway, ' ', readings), ', ' ORDER BY gateway)
                FROM telemetry.windows_day WHERE {History}
                """));
        Assert.Equal(
            "gw-1 gw-1, gw-2 -",
            await database.Row("""
                SELECT string_agg(DISTINCT concat(gateway, ' ', coalesce(home_gateway, '-')), ', ')
                FROM telemetry.readings WHERE site IS NULL
                """));
        Assert.Equal(
            "gw-2", await database.Row("SELECT gateway FROM telemetry.device_metadata WHERE site = 'Plant'"));
        Assert.Equal(
            "devices move|gw-1|pump to gw-2 at 2026-11-30 12:02:30Z",
            await database.Row("SELECT act, gateway, detail FROM telemetry.operator_act"));
    }

    [Fact]
    public async Task Device_that_moved_on_and_back_has_the_history_of_all_its_stays()
    {
        await using var database = await WithTwoPumps();
        foreach (var (from, to, at) in ((string, string, string)[])
            [("gw-1", "gw-2", "12:01"), ("gw-2", "gw-3", "12:11"), ("gw-3", "gw-1", "12:21")])
        {
            Assert.Equal(
                0, (await Run(database, "move", "pump", "--from", from, "--to", to, "--at", $"2026-11-30T{at}Z")).Code);
            await database.Execute("INSERT INTO telemetry.device_metadata (gateway, device) VALUES ('gw-3', 'pump') "
                + "ON CONFLICT DO NOTHING");
        }

        Assert.Equal(
            "gw-1 -infinity 12:01, gw-2 12:01 12:11, gw-3 12:11 12:21, gw-1 12:21 infinity",
            await database.Row("""
                SELECT string_agg(concat_ws(' ', gateway,
                    CASE WHEN isfinite(valid_from) THEN to_char(valid_from, 'HH24:MI') ELSE '-infinity' END,
                    CASE WHEN isfinite(valid_to) THEN to_char(valid_to, 'HH24:MI') ELSE 'infinity' END), ', '
                    ORDER BY valid_from)
                FROM telemetry.device_places WHERE home_gateway = 'gw-1'
                """));
        // What a gateway has under this name before the device came and after it went is apart.
        Assert.Equal(
            "gw-1 -, gw-2 -, gw-2 gw-2, gw-3 -, gw-3 gw-3",
            await database.Row("""
                SELECT string_agg(concat(gateway, ' ', coalesce(home_gateway, '-')), ', ' ORDER BY gateway, valid_from)
                FROM telemetry.device_places WHERE home_gateway IS DISTINCT FROM 'gw-1'
                """));
    }

    [Theory]
    [InlineData("fan", "gw-1", "gateway gw-1 has no device fan")]
    [InlineData("pump", "gw-3", "gateway gw-3 has no device pump")]
    [InlineData("pump", "gw-2", "device pump moved at 2026-11-30 12:00:00Z already; a further move must be ")]
    public async Task Move_that_cannot_be_is_refused_and_changes_nothing(string device, string from, string problem)
    {
        await using var database = await WithTwoPumps();
        await Run(database, "move", "pump", "--from", "gw-1", "--to", "gw-2", "--at", "2026-11-30T12:00Z");

        var (code, text) = await Run(
            database, "move", device, "--from", from, "--to", "gw-9", "--at", "2026-11-30T12:09Z");

        Assert.Equal(1, code);
        Assert.StartsWith($"nothing was changed: {problem}", text, StringComparison.Ordinal);
        Assert.Equal("1", await database.Row("SELECT count(*) FROM telemetry.device_moves"));
    }

    [Fact]
    public async Task Group_says_which_gateways_are_missing_at_the_time_of_each_window()
    {
        await using var database = await WithTwoPumps();
        await Run(
            database, "import", File("gateway,device,site,label.line\ngw-1,pump,P,A\ngw-2,pump,P,A\ngw-9,fan,P,\n"));
        const string Sql = """
            SELECT string_agg(concat_ws(' ', to_char(start, 'MI'), series, numbers, min, max, complete, state), '; '
                ORDER BY start)
            FROM telemetry.group_windows('{0}', '{1}', 'Int 255', '2026-11-30 12:01Z', '2026-11-30 12:03Z')
            """;

        // The watermark of gw-1 is 12:03, that of gw-2 12:02.
        Assert.Equal(
            "01 2 20 11 1020 f complete with 2 of 3 gateways, missing: gw-9; "
                + "02 2 20 21 1030 f complete with 1 of 3 gateways, missing: gw-2, gw-9",
            await database.Row(Text(Sql, "site", "P")));
        Assert.Equal(
            "01 2 20 11 1020 t complete with 2 of 2 gateways; "
                + "02 2 20 21 1030 f complete with 1 of 2 gateways, missing: gw-2",
            await database.Row(Text(Sql, "line", "A")));
        Assert.Equal(
            await database.Row("""
                SELECT stddev_samp(number), avg(number) FROM telemetry.reading_number
                WHERE time >= '2026-11-30 12:01Z' AND time < '2026-11-30 12:02Z'
                """),
            await database.Row("""
                SELECT stddev, mean
                FROM telemetry.group_windows('line', 'A', 'Int 255', '2026-11-30 12:01Z', '2026-11-30 12:02Z')
                """));

        Assert.Equal(
            await database.Row(
                "SELECT avg(time_weighted_mean) FROM telemetry.windows WHERE start = '2026-11-30 12:01Z'"),
            await database.Row("""
                SELECT time_weighted_mean
                FROM telemetry.group_windows('line', 'A', 'Int 255', '2026-11-30 12:01Z', '2026-11-30 12:02Z')
                """));

        await Run(database, "move", "pump", "--from", "gw-2", "--to", "gw-3", "--at", "2026-11-30T12:02:00Z");
        Assert.Equal(
            "01 2 20 11 1020 t complete with 2 of 2 gateways; "
                + "02 1 10 21 30 f complete with 1 of 2 gateways, missing: gw-3",
            await database.Row(Text(Sql, "line", "A")));
    }

    [Fact]
    public async Task Late_readings_are_told_by_series_window_and_frame()
    {
        await using var database = await WithTwoPumps();
        await Run(database, "import", File("gateway,device,site\ngw-1,pump,P\n"));

        Assert.Equal(
            "gw-1|P|12:00|10|late|gw-1/7f/backlog/100+50",
            await database.Row("""
                SELECT gateway, site, to_char(start, 'HH24:MI'), readings, cause, frame FROM telemetry.late_readings
                """));
        Assert.Equal(
            "000000000000007f|backlog|100|149",
            await database.Row("""
                SELECT epoch, lane, first, last FROM telemetry.late_frames
                WHERE late_by > interval '10 min' AND stored_at > now() - interval '1 hour'
                """));
    }

    private static string Text(string sql, string key, string value) =>
        string.Format(System.Globalization.CultureInfo.InvariantCulture, sql, key, value);

    private static string[] Lines(string text) => [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))];

    private static async Task<(int Code, string Text)> Run(PostgresDatabase database, params string[] words)
    {
        using var output = new StringWriter { NewLine = "\n" };
        var settings = new CloudSettings
        {
            Database = new PostgresStoreOptions { ConnectionString = database.ConnectionString },
        };
        var command = new DevicesCommand(settings, output, output);
        var code = await DevicesVerb.Create((arguments, _, stop) => command.RunAsync(arguments, stop))
            .Parse(words).InvokeAsync();
        return (code, output.ToString());
    }

    private string File(string text)
    {
        var path = _folder.At($"{Guid.NewGuid():N}.txt");
        System.IO.File.WriteAllText(path, text);
        return path;
    }

    // A pump at each of two gateways, with four minutes of ten readings and their windows. Sessions are in UTC.
    private async Task<PostgresDatabase> WithTwoPumps()
    {
        var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await database.Execute(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = UTC', current_database()); END $$");
        var noon = ColumnValues.Micros(Noon);
        await Commit(database.Store, await Take(database.Store), c =>
        {
            foreach (var (gateway, offset) in ((GatewayId, int)[])[(Gateway, 0), (Other, 1000)])
            {
                c.Gateways.Add(GatewayRow.New(gateway, 0) with
                {
                    Watermark = noon + ((offset == 0 ? 180 : 120) * Second),
                });
                var schema = Extend(
                    SeriesList.Empty(gateway), Numbered(MetricType.Int).Definition);
                c.Schemas.Add(schema);
                for (var n = 0; n < 40; n++)
                {
                    var time = noon + (n * 6 * Second);
                    c.Readings.Add(schema.List.Entries[0], time, ReadingFlags.None, (ulong)(offset + n + 1));
                    if (n % 10 == 0)
                    {
                        c.Parts.Add(new WindowPart().Begin(schema.List.Entries[0], WindowSpan.Of(time, 60)));
                    }

                    c.Parts[^1].Add(time, ReadingFlags.None, (ulong)(offset + n + 1), 0);
                }
            }

            c.Frames.Add(Frame(100, 50, Lane.Backlog, 127));
            c.Revisions.Add(new WindowRevisionRow(
                Gateway, new FrameKey(127, Lane.Backlog, 100, 50), RevisionCause.Late,
                c.Parts[0]));
        });
        return database;
    }
}
