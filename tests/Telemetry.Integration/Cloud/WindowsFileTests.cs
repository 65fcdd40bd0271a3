using System.Text.Json.Nodes;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Cloud;

/// <summary>A windows file at the start of processes: what is refused is said by check and run alike.</summary>
public sealed class WindowsFileTests : IAsyncDisposable
{
    private const string First = """{ "metric": "host.*", "width": "5 min" }""",
        Later = """{ "metric": "vibration.*", "width": "10 s", "validFrom": "2100-01-01T00:00:00Z" }""";

    private readonly TemporaryFolder _folder = new();

    private string File => _folder.At("windows.json");

    [ServersFact(nats: true, postgres: true)]
    public async Task File_is_taken_at_the_start_and_only_added_to()
    {
        await using var nats = await NatsServer.Start();
        await using var postgres = await PostgresServer.Start(null);
        await using var cloud = new CloudProcess(nats.Url, postgres.ConnectionString);
        cloud.Configuration = With(cloud.Configuration);

        await Write(First);
        Assert.Equal(0, await cloud.Run("check"));
        await cloud.OutputWith("windows: ok, 1 entries, 1 of them new");
        await cloud.Start();
        await cloud.WaitUntilReady();
        await cloud.OutputWith("agrees with the database: 1 entries, of which 1 were added now");

        await using var other = new CloudProcess(nats.Url, postgres.ConnectionString);
        other.Configuration = With(other.Configuration);
        await Write(First, Later);
        Assert.Equal(0, await Command(other, "check", "--connect", File));
        await other.OutputWith("2 entries; the database has 1 of them, 1 are new");
        await other.OutputWith("no metric that it fits had readings in the last day");
        Assert.Equal(0, await Command(other, "list"));
        await other.OutputWith("entry 1: host.* 5 min from the beginning; added ");

        await Write(First.Replace("5 min", "1 min", StringComparison.Ordinal), Later);
        const string Changed = "entry 1: was changed: the database has host.* 5 min from the beginning, the file has "
            + "host.* 1 min from the beginning;";
        Assert.Equal(1, await other.Run("check"));
        await other.OutputWith($"windows: FAILED, {File}: {Changed}");
        Assert.Equal(1, await Command(other, "check"));
        await other.OutputWith($"{File}: {Changed}");
        Assert.Equal(1, await other.Run("run"));
        var log = await other.OutputWith($"Did not start: processor.windows.file: {File}: {Changed}");
        Assert.DoesNotContain("   at ", log, StringComparison.Ordinal);
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Wrong_file_is_a_wrong_configuration()
    {
        await using var nats = await NatsServer.Start();
        await using var postgres = await PostgresServer.Start(null);
        await using var cloud = new CloudProcess(nats.Url, postgres.ConnectionString);
        cloud.Configuration = With(cloud.Configuration);
        await Write("""{ "metric": "m", "width": "7 s" }""");

        Assert.Equal(2, await cloud.Run("run"));
        await cloud.OutputWith($"processor.windows.file: {File}: entry 1: width: '7 s' is not allowed; use 1 s, ");
    }

    public ValueTask DisposeAsync() => _folder.DisposeAsync();

    private Task Write(params string[] entries) => System.IO.File.WriteAllTextAsync(
        File, $"{{ \"widths\": [ {string.Join(", ", entries)} ] }}");

    private string With(string configuration)
    {
        var root = JsonNode.Parse(configuration)!.AsObject();
        root["processor"] = new JsonObject { ["windows"] = new JsonObject { ["file"] = File } };
        return root.ToJsonString();
    }

    private static async Task<int> Command(CloudProcess cloud, params string[] words) =>
        await cloud.Run("windows", null, words);
}
