using System.Net;
using System.Text.Json;
using Npgsql;
using Telemetry.Integration.Cloud;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Dashboard;

/// <summary>
/// A cloud, a dashboard in a process of its own, and some agents, between a nats-server and a PostgreSQL of the test's
/// own.
/// </summary>
internal sealed class DashboardStand : IAsyncDisposable
{
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(20) };

    private readonly TemporaryFolder _folder = new();
    private ServerProcess? _agents;
    private readonly int _port = FreePort.Next();

    private DashboardStand(NatsServer nats, PostgresServer postgres)
    {
        (Nats, Postgres) = (nats, postgres);
        Cloud = new CloudProcess(nats.Url, postgres.ConnectionString);
        Cloud.Configuration = Settings("all", Cloud, $$"""
            "ingress": {
              "port": {{Cloud.MqttPort}}, "gateways": "{{_folder.At("gateways")}}", "plainPasswords": true
            }
            """);
        Dashboard = new CloudProcess(nats.Url, postgres.ConnectionString);
        Dashboard.Configuration = Settings("dashboard", Dashboard, $$"""
            "dashboard": { "port": {{_port}} }
            """);
    }

    public NatsServer Nats { get; }

    public PostgresServer Postgres { get; }

    /// <summary>Ingress and processor.</summary>
    public CloudProcess Cloud { get; }

    public CloudProcess Dashboard { get; }

    public string Address => $"http://127.0.0.1:{_port}";

    public static async Task<DashboardStand> Start(int gateways)
    {
        var stand = new DashboardStand(await NatsServer.Start(), await PostgresServer.Start(null));
        await File.WriteAllLinesAsync(
            stand._folder.At("gateways"), Enumerable.Range(1, gateways).Select(i => $"gw-{i:00}:one"));
        await stand.Cloud.Start();
        await stand.Cloud.WaitUntilReady();
        await stand.Dashboard.Start();
        await stand.Dashboard.WaitUntilReady();
        return stand;
    }

    /// <summary>Starts agents gw-01 and so on, which send without end until disposed.</summary>
    public async Task<ServerProcess> StartAgents(int agents, int readingsPerSecond = 20)
    {
        Directory.CreateDirectory(_folder.At("fleet"));
        await File.WriteAllTextAsync(_folder.At("simulator.json"), $$"""
            {
              "fleet": { "folder": "{{_folder.At("fleet")}}", "gateways": {{agents}} },
              "uplink": { "host": "127.0.0.1", "port": {{Cloud.MqttPort}}, "password": "one" },
              "generator": { "readingsPerSecond": {{readingsPerSecond}} }
            }
            """);
        return _agents = await ServerProcess.Start(new ServerCommand(
            "/usr/bin/env",
            [
                "dotnet", Path.Combine(AppContext.BaseDirectory, "Telemetry.Simulator.dll"), "run", "--config",
                _folder.At("simulator.json"),
            ])
        { Folder = _folder.FullPath });
    }

    public async Task<(HttpStatusCode Status, string Text)> Get(string path)
    {
        using var response = await Http.GetAsync(new Uri(Address + path));
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    public async Task<JsonElement> Json(string path)
    {
        var (status, text) = await Get(path);
        Assert.True(status == HttpStatusCode.OK, $"{path}: {status} {text}");
        return JsonDocument.Parse(text).RootElement;
    }

    /// <summary>Asks until the answer is as it should be; gives that answer.</summary>
    public async Task<JsonElement> Until(string path, Func<JsonElement, Task<bool>> holds)
    {
        var last = "";
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        while (!limit.IsCancellationRequested)
        {
            var (status, text) = await Get(path);
            last = text;
            if (status == HttpStatusCode.OK && JsonDocument.Parse(text).RootElement is var answer
                && await holds(answer))
            {
                return answer;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), CancellationToken.None);
        }

        var agents = _agents is null ? "" : await File.ReadAllTextAsync(_agents.OutputFile, CancellationToken.None);
        throw new TimeoutException($"{path} did not come to hold within 90 s, it is {last}\n{agents}");
    }

    public Task<JsonElement> Until(string path, Func<JsonElement, bool> holds) =>
        Until(path, answer => Task.FromResult(holds(answer)));

    /// <summary>Runs a statement; gives the first column of the first row as text.</summary>
    public async Task<string> Sql(string sql)
    {
        await using var connection = new NpgsqlConnection(Postgres.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return $"{await command.ExecuteScalarAsync()}";
    }

    public async ValueTask DisposeAsync()
    {
        await Dashboard.DisposeAsync();
        await Cloud.DisposeAsync();
        await Nats.DisposeAsync();
        await Postgres.DisposeAsync();
        await _folder.DisposeAsync();
    }

    private string Settings(string role, CloudProcess process, string more) => $$"""
        {
          "role": "{{role}}",
          "partitions": 2,
          "nats": { "servers": [ "{{Nats.Url}}" ] },
          "database": { "connection": "{{Postgres.ConnectionString}}" },
          "http": { "port": {{process.HttpPort}} },
          {{more}}
        }
        """;
}
