using System.Net;
using Microsoft.Data.Sqlite;
using Telemetry.Agent.Configuration;
using Telemetry.Inputs.Generator;
using Telemetry.Inputs.Http;
using Telemetry.Model.Frames;
using Telemetry.Model.Readings;
using Telemetry.TestKit.Checking;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Edge;

/// <summary>Files of agents of earlier commits (see OlderOutboxes/README.md), opened by today's agent.</summary>
public sealed class OlderOutboxTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Names => OlderOutbox.Names;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _folder.DisposeAsync();

    [Theory]
    [MemberData(nameof(Names))]
    public void File_holds_whatever_an_agent_can_leave(string name)
    {
        var outbox = new OlderOutbox(name, _folder);

        string[] present =
        [
            "epoch", "segment", "request", "schema_step WHERE step > 2", "frame WHERE lane = 0", "frame WHERE lane = 1",
            "frame WHERE lane = 2", "frame WHERE receipt_sequence IS NULL", "frame WHERE receipt_sequence > 0",
            "frame WHERE dropped = count", "frame WHERE dropped BETWEEN 1 AND count - 1",
        ];
        Assert.All(present, what => Assert.NotEqual(0, outbox.Number($"SELECT count(*) FROM {what}")));
        Assert.InRange(outbox.Number("SELECT count(*) FROM epoch"), 2, 16);
        Assert.InRange(outbox.Number("SELECT count(*) FROM segment"), 3, 1000);
        Assert.Equal(
            outbox.Accepted,
            outbox.Number("SELECT (SELECT sum(count) FROM segment) + (SELECT sum(count) FROM frame)"));
    }

    [ServersTheory(nats: true, postgres: true)]
    [MemberData(nameof(Names))]
    public async Task Everything_in_it_is_stored_once_or_was_declared_dropped_by_the_older_agent(string name)
    {
        var outbox = new OlderOutbox(name, _folder);
        await using var cloud = await AgentAndCloud.Start();
        await using var agent = new AgentRun(outbox, cloud.MqttPort);

        var (refused, fork, books) = await cloud.UntilDrained(agent);

        Assert.Equal((outbox.Accepted, outbox.Accepted - outbox.Dropped), (books.Accepted, books.Stored));
        Assert.Equal((0, outbox.Dropped, 0), (books.Rejected, books.Dropped, books.Lost));
        Assert.Equal((0, "", ""), (refused, fork, books.Fork));
        var verdict = await cloud.Judge(outbox);
        Assert.True(verdict.Balanced, $"{verdict}");
        Assert.InRange(outbox.Accepted, verdict.Gateways[0].Acknowledged, verdict.Gateways[0].Attempted);
        Assert.Subset((await cloud.RegisteredFrames()).ToHashSet(), outbox.Frames.ToHashSet());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task What_it_had_not_sealed_goes_up_in_todays_frames_bit_for_bit(string name)
    {
        var file = new OlderOutbox(name, _folder);
        var sent = new SentReadings();
        sent.Load(file.JournalPath);
        await using var outbox = await file.OpenAsync();
        var (held, unsealed) = (outbox.Held.Select(f => f.Id).ToHashSet(), outbox.UnsealedReadings);
        outbox.FrameVersion = FrameHeader.VersionMax;

        Assert.NotEqual(0, await outbox.SealBacklogAsync(64, FrameHeader.CountMax, FrameHeader.BytesMax, default));

        Assert.Equal(0, outbox.UnsealedReadings);
        var readings = new ReadingBatch();
        foreach (var frame in outbox.Held.Where(f => !held.Contains(f.Id)))
        {
            var bytes = (await outbox.ReadAsync(frame, default))!.Value;
            Assert.Equal(
                FrameHeader.VersionMax, FrameReader.Read(bytes.Span, outbox.Series.Types, readings, []).Version);
        }

        Assert.Equal(unsealed, readings.Count);
        Assert.All(Enumerable.Range(0, readings.Count), row =>
        {
            var series = outbox.Series.Entries[readings.Series[row]];
            Assert.True(sent.Store(
                series.Identity, readings.Times[row],
                ReadingHash.OfRow(readings, row, series.Identity, series.Type)));
        });
    }

    [Fact]
    public void File_of_a_killed_agent_holds_readings_and_frames_in_its_write_ahead_log_alone()
    {
        const string name = "72a8b68-killed";
        var outbox = new OlderOutbox(name, _folder);

        var (accepted, frames) = ("SELECT accepted FROM outbox", "SELECT count(*) FROM frame");
        Assert.InRange(OlderOutbox.NumberWithoutLog(name, _folder, accepted), 1, outbox.Accepted - 100);
        Assert.NotEqual(outbox.Number(frames), OlderOutbox.NumberWithoutLog(name, _folder, frames));
    }

    [ServersTheory(nats: true, postgres: true)]
    [MemberData(nameof(Names))]
    public async Task Agent_of_today_goes_on_with_it_on_todays_SQLite(string name)
    {
        var outbox = new OlderOutbox(name, _folder);
        Assert.Equal(new Version(3, 40, 1), outbox.WrittenBy());
        await using var cloud = await AgentAndCloud.Start();

        // Written on while the older readings leave; killed agents and clean stops come to the same file.
        await using (var first = new AgentRun(outbox, cloud.MqttPort, Making(outbox.Accepted + 1000)))
        {
            var (_, fork, books) = await cloud.UntilDrained(first);
            Assert.Equal((outbox.Dropped, 0, 0, ""), (books.Dropped, books.Rejected, books.Lost, fork));
        }

        Assert.Equal(0, outbox.Number("SELECT count(*) FROM frame"));
        await using (var second = new AgentRun(outbox, cloud.MqttPort, Making(outbox.Accepted + 2000)))
        {
            await cloud.UntilDrained(second);
        }

        var verdict = await cloud.Judge(outbox);
        Assert.True(verdict.Balanced, $"{verdict}");
        Assert.Equal(outbox.Accepted + 2000, verdict.Gateways[0].Attempted);
        Assert.Equal(0, outbox.Number("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"));
        using var library = new SqliteConnection();
        Assert.Equal(Version.Parse(library.ServerVersion), outbox.WrittenBy());
        Assert.InRange(outbox.WrittenBy(), new Version(3, 53), new Version(4, 0));
    }

    [ServersTheory(nats: true, postgres: true)]
    [InlineData("07e7837")]
    public async Task Cloud_that_reads_version_0_alone_gets_it_from_todays_agent_of_compact_segments_too(string name)
    {
        var outbox = new OlderOutbox(name, _folder);
        await using (var alone = AgentRun.Offline(outbox, Making(outbox.Accepted + 1000)))
        {
            await alone.Until(status => status.InputsEnded);
        }

        Assert.NotEqual(0, outbox.Number("SELECT count(*) FROM segment WHERE hex(substr(data, 1, 2)) = '8000'"));
        Assert.NotEqual(0, outbox.Number("SELECT count(*) FROM segment WHERE hex(substr(data, 1, 2)) <> '8000'"));
        Version0ControlChannel owner = null!;
        await using var cloud = await AgentAndCloud.Start(control => owner = new Version0ControlChannel(control));
        await using var agent = new AgentRun(outbox, cloud.MqttPort, Making(outbox.Accepted + 2000));

        var (refused, fork, books) = await cloud.UntilDrained(agent);

        Assert.Equal((outbox.Dropped, 0, 0), (books.Dropped, books.Rejected, books.Lost));
        Assert.Equal((0, "", ""), (refused, fork, books.Fork));
        var verdict = await cloud.Judge(outbox);
        Assert.True(verdict.Balanced, $"{verdict}");
        Assert.Equal(outbox.Accepted + 2000, verdict.Gateways[0].Attempted);
        Assert.NotEqual(0, owner.Answers);
        Assert.Equal([0], (await cloud.FrameVersions()).Keys);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Request_that_the_older_agent_answered_is_not_stored_again(string name)
    {
        var outbox = new OlderOutbox(name, _folder);
        var port = FreePort.Next();
        await using var agent = AgentRun.Offline(
            outbox, options => options with { Inputs = [new HttpInputOptions { Port = port }] });
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        await agent.Until(_ => Answers(client));

        using var answer = await Post("first");

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        var status = await agent.Status();
        Assert.Equal((outbox.Accepted, 1), (status.Accepted, status.Inputs.OfType<HttpInputStatus>().Single().Repeats));

        // It is the key that made it known.
        using var another = await Post("another");
        Assert.Equal(HttpStatusCode.NoContent, another.StatusCode);
        Assert.Equal(outbox.Accepted + 12, (await agent.Status()).Accepted);

        Task<HttpResponseMessage> Post(string key)
        {
            var request = new HttpRequestMessage(HttpMethod.Post, "/api/v2/write?precision=us")
            {
                Content = new StringContent(File.ReadAllText(OlderOutbox.At(OlderOutbox.FirstRequest))),
                Headers = { { "Idempotency-Key", key } },
            };
            return client.SendAsync(request);
        }
    }

    private static async Task<bool> Answers(HttpClient client)
    {
        try
        {
            using var answer = await client.GetAsync(new Uri("/health", UriKind.Relative));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    // By the journal, the generator goes on where the older agent's ended.
    private static Func<AgentOptions, AgentOptions> Making(long readings) => options => options with
    {
        Inputs = [new GeneratorOptions { ReadingsPerSecond = 2000, CriticalEvery = 4, ReadingsMax = readings }],
    };
}
