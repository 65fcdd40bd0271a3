using System.Globalization;
using System.Text;
using Npgsql;
using Telemetry.Integration.Cloud;
using Telemetry.SystemTests.Cluster;
using Telemetry.TestKit.Servers;
using Xunit.Abstractions;

namespace Telemetry.Integration.Inputs;

/// <summary>
/// Senders that repeat each batch with its Idempotency-Key until it is answered, while the agent is killed again and
/// again, at any moment and, just as often, between a commit and its answers: the database holds every reading that
/// they attempted, exactly once.
/// </summary>
public sealed class HttpKillTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Senders = 4, Kills = 6, LinesPerBatch = 200, BatchesMin = 150;
    private const string Token = "a-token-of-the-test";

    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private readonly int _port = FreePort.Next();
    private readonly int _statusPort = FreePort.Next();
    private readonly int[] _batches = new int[Senders];
    private long _requests;
    private long _attempted;
    private long _repeats;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _folder.DisposeAsync();
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Stored_is_attempted_exactly_whatever_the_agent_is_killed_in()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(4));
        await using var nats = await NatsServer.Start();
        await using var postgres = await PostgresServer.Start(new PostgresOptions { ForceToDisk = false });
        await using var cloud = new CloudProcess(nats.Url, postgres.ConnectionString);
        await cloud.Start();
        await cloud.WaitUntilReady();
        WriteConfiguration(cloud.MqttPort);
        await using var agent = new DotnetProcess(
            "agent", "Telemetry.Agent", _folder.FullPath, "run", "--config", _folder.At("agent.json"));
        await StartAsync(agent);

        using var enough = new CancellationTokenSource();
        var senders = Enumerable.Range(0, Senders).Select(s => SendAsync(s, enough.Token, limit.Token)).ToList();
        await KillAsync(agent, limit.Token);
        await enough.CancelAsync();
        await Task.WhenAll(senders);

        await WaitUntilStoredAsync(postgres.ConnectionString, limit.Token);
        var (stored, distinct, sum) = await StoredAsync(postgres.ConnectionString, limit.Token);
        output.WriteLine(
            $"{_attempted} readings attempted in {_requests} requests, {agent.Kills} kills, {_repeats} repeats of what "
            + $"was stored; stored {stored}, different {distinct}");
        Assert.Equal(2 * Kills, agent.Kills);
        Assert.True(_repeats > 0, "some batch was sent again that had been stored, its answer lost");
        Assert.Equal((_attempted, _attempted), (stored, distinct));
        Assert.Equal(ExpectedSum(), sum);
    }

    private async Task KillAsync(DotnetProcess agent, CancellationToken cancellationToken)
    {
        var random = new Random(7);
        for (var kill = 0; kill < Kills; kill++)
        {
            // At any moment of the traffic: a few answers after the last start, and a little more.
            var requests = Interlocked.Read(ref _requests) + random.Next(5, 60);
            while (Interlocked.Read(ref _requests) < requests)
            {
                await Task.Delay(2, cancellationToken);
            }

            await Task.Delay(random.Next(0, 25), cancellationToken);
            await CountRepeatsAsync(cancellationToken);
            await agent.KillAsync();

            // Killed by itself: readings are durable, and nobody has been answered.
            await agent.LaunchAsync($"after-outbox-commit:{random.Next(3, 12)}");
            await agent.WaitForCrashAsync(TimeSpan.FromMinutes(1));
            await StartAsync(agent);
        }

        while (Interlocked.Read(ref _attempted) < BatchesMin * LinesPerBatch)
        {
            await Task.Delay(20, cancellationToken);
        }

        await CountRepeatsAsync(cancellationToken);
    }

    // Of this run of the agent.
    private async Task CountRepeatsAsync(CancellationToken cancellationToken)
    {
        using var status = new StatusClient();
        var repeats = await status.CounterAsync(_statusPort, "telemetry_agent_http_repeats_total", cancellationToken);
        _repeats += (long)(repeats ?? 0);
    }

    // One batch after the other, each until it is answered 204.
    private async Task SendAsync(int sender, CancellationToken enough, CancellationToken limit)
    {
        for (var batch = 0; !enough.IsCancellationRequested; batch++)
        {
            var body = new StringBuilder();
            for (var line = 0; line < LinesPerBatch; line++)
            {
                var number = (batch * LinesPerBatch) + line;
                body.Append(CultureInfo.InvariantCulture, $"kill,device=sender-{sender} number={number}i {number}\n");
            }

            Interlocked.Add(ref _attempted, LinesPerBatch);
            while (!await IsStoredAsync(body.ToString(), $"{sender}-{batch}", limit))
            {
                await Task.Delay(10, limit);
            }

            _batches[sender] = batch + 1;
        }
    }

    private async Task<bool> IsStoredAsync(string body, string key, CancellationToken limit)
    {
        Interlocked.Increment(ref _requests);
        using var request = new HttpRequestMessage(
            HttpMethod.Post, $"http://127.0.0.1:{_port}/api/v2/write?precision=us")
        {
            Content = new StringContent(body),
        };
        request.Headers.Add("Authorization", $"Token {Token}");
        request.Headers.Add("Idempotency-Key", key);
        try
        {
            using var answer = await _http.SendAsync(request, limit);
            var status = (int)answer.StatusCode;
            Assert.True(status is 204 or 429 or 503, $"{status}: {await answer.Content.ReadAsStringAsync(limit)}");
            return status == 204;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !limit.IsCancellationRequested)
        {
            // Killed before, while or after it stored: the sender cannot know.
            return false;
        }
    }

    private long ExpectedSum() => _batches.Sum(batches =>
    {
        long numbers = batches * LinesPerBatch;
        return numbers * (numbers - 1) / 2;
    });

    private async Task WaitUntilStoredAsync(string connection, CancellationToken cancellationToken)
    {
        // More than attempted would be seen by the verdict; what is to come after this cannot be: nothing waits any
        // more.
        while (true)
        {
            using var books = new NpgsqlConnection(connection);
            await books.OpenAsync(cancellationToken);
            using var command = new NpgsqlCommand(
                "SELECT accepted, stored, on_the_way FROM telemetry.books WHERE gateway = 'gw-1'", books);
            await using var row = await command.ExecuteReaderAsync(cancellationToken);
            if (await row.ReadAsync(cancellationToken) && row.GetInt64(0) >= _attempted && row.GetInt64(2) == 0
                && await IsDrainedAsync(row.GetInt64(0), cancellationToken))
            {
                return;
            }

            await Task.Delay(100, cancellationToken);
        }
    }

    private async Task<bool> IsDrainedAsync(long accepted, CancellationToken cancellationToken)
    {
        using var status = new StatusClient();
        var agents = await status.AgentsAsync(_statusPort, cancellationToken);
        return agents is [{ AtTheEdge: 0 } agent] && agent.Accepted == accepted;
    }

    private static async Task<(long Stored, long Distinct, long Sum)> StoredAsync(
        string connection, CancellationToken ct)
    {
        using var database = new NpgsqlConnection(connection);
        await database.OpenAsync(ct);
        using var command = new NpgsqlCommand(
            "SELECT count(*), count(DISTINCT (series, time)), coalesce(sum(integer), 0)::bigint FROM "
            + "telemetry.reading_plain",
            database);
        await using var row = await command.ExecuteReaderAsync(ct);
        await row.ReadAsync(ct);
        return (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2));
    }

    private void WriteConfiguration(int mqttPort) => File.WriteAllText(
        _folder.At("agent.json"),
        $$"""
        {
          "gateway": "gw-1",
          "outbox": { "file": "{{_folder.At("outbox")}}", "idleCommitInterval": "1 s" },
          "uplink": {
            "host": "127.0.0.1", "port": {{mqttPort}}, "password": "one", "heartbeat": "1 s",
            "backoffMin": "100 ms", "backoffMax": "1 s", "answerTimeout": "2 s", "unsettledAfter": "5 s"
          },
          "http": { "port": {{_port}}, "token": "{{Token}}", "commitDeadline": "20 ms" },
          "status": { "port": {{_statusPort}} }
        }
        """);

    private async Task StartAsync(DotnetProcess agent)
    {
        using var status = new StatusClient();
        await agent.StartAsync(async ct => await status.TextAsync(_statusPort, "/health/ready", ct) is not null);
    }
}
