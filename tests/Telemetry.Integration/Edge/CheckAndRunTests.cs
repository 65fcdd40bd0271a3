// Long: a list of situations, and how each comes about.
using System.Net;
using System.Net.Sockets;
using Microsoft.Data.Sqlite;
using Telemetry.Agent.Configuration;
using Telemetry.Agent.Hosting;
using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Sqlite;
using Telemetry.Inputs.Http;
using Telemetry.Model.Identity;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Edge;

/// <summary>
/// What <c>check</c> says and what <c>run</c> does, situation by situation: the same sentence, no byte changed by a
/// check, and a run that cannot start ends with code 1 and a line without a stack trace.
/// </summary>
public sealed class CheckAndRunTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<IDisposable> _held = [];
    private int _httpPort, _statusPort;

    private string _name = "outbox.db";

    private string Outbox => _folder.At(_name);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        _held.ForEach(held => held.Dispose());
        await _folder.DisposeAsync();
    }

    [Theory]
    [InlineData("new")]
    [InlineData("empty file")]
    [InlineData("clean stop")]
    [InlineData("killed")]
    [InlineData("killed before its first commit")]
    [InlineData("a link")]
    [InlineData("of before files said whose they are")]
    public async Task Both_find_it_good(string situation)
    {
        await PrepareAsync(situation);
        var before = Files();
        Assert.Empty(Process().Problems());
        Assert.Equal(before, Files());

        var log = new LinesLog();
        using var stop = new CancellationTokenSource();
        var running = Process().RunAsync(log, new Random(1), stop.Token);
        await log.Until("Opened outbox");
        await stop.CancelAsync();
        Assert.True(await running == EdgeProcess.Ended, log.Text);
        Assert.Empty(Process().Problems());
    }

    [Theory]
    [InlineData("another program's database", "outbox.file:", "not an outbox")]
    [InlineData("another program's database in WAL mode", "outbox.file:", "not an outbox")]
    [InlineData("text", "outbox.file:", "damaged")]
    [InlineData("damaged", "outbox.file:", "damaged")]
    [InlineData("damaged, killed", "outbox.file:", "damaged")]
    [InlineData("truncated", "outbox.file:", "damaged")]
    [InlineData("a row that no agent wrote", "outbox.file:", "damaged")]
    [InlineData("newer version", "outbox.file:", "use a newer agent")]
    [InlineData("another gateway's", "outbox.file:", "is of the gateway gw-2, and this agent is gw-1")]
    [InlineData("another gateway's, killed", "outbox.file:", "is of the gateway gw-2, and this agent is gw-1")]
    [InlineData("a folder", "outbox.file:", "is a folder")]
    [InlineData("a pipe", "outbox.file:", "a regular file is needed")]
    [InlineData("a device", "outbox.file:", "a regular file is needed")]
    [InlineData("a link to nowhere", "outbox.file:", "does not exist")]
    [InlineData("no folder", "outbox.file:", "does not exist")]
    [InlineData("in use here", "outbox.file:", "one agent at a time")]
    [InlineData("HTTP port taken", "http.port:", "in use by another program")]
    [InlineData("status port taken", "status.port:", "in use by another program")]
    public async Task Both_say_the_same_sentence(string situation, string key, string words)
    {
        await PrepareAsync(situation);
        var before = Files();
        var problem = Assert.Single(Process().Problems());
        Assert.StartsWith(key, problem, StringComparison.Ordinal);
        Assert.Contains(words, problem, StringComparison.Ordinal);
        Assert.Equal(before, Files());

        var log = new LinesLog();
        Assert.Equal(EdgeProcess.Failed, await Process().RunAsync(log, new Random(1)));
        Assert.Contains(problem, log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", log.Text, StringComparison.Ordinal);
        Assert.InRange(log.Lines, 1, 4);
        if (situation is "text" or "newer version" || words == "not an outbox")
        {
            // What is not this agent's stays as it is, byte for byte, with nothing new beside it.
            Assert.Equal(before, Files());
        }
    }

    [Fact]
    public async Task Check_beside_a_running_agent_says_so_and_leaves_its_lock()
    {
        var statusPort = FreePort.Next();
        await File.WriteAllTextAsync(_folder.At("agent.json"), $$"""
            {
              "gateway": "gw-1", "outbox": { "file": "{{Outbox}}" },
              "uplink": { "host": "127.0.0.1", "port": {{FreePort.Next()}} },
              "generator": { "readingsPerSecond": 100 }, "status": { "port": {{statusPort}} }
            }
            """);
        await using var agent = await ServerProcess.Start(new ServerCommand(
            "/usr/bin/env", "dotnet", Path.Combine(AppContext.BaseDirectory, "Telemetry.Agent.dll"), "run", "--config",
            _folder.At("agent.json"))
        { Folder = _folder.FullPath });
        await UntilReadyAsync(statusPort);

        for (var i = 0; i < 3; i++)
        {
            Assert.Contains("one agent at a time", Assert.Single(Process().Problems()), StringComparison.Ordinal);
        }

        await Assert.ThrowsAsync<OutboxException>(() => SqliteOutboxFile.OpenAsync(Outbox, null, default));
        await UntilReadyAsync(statusPort);
    }

    [SmallDiskFact]
    public async Task Both_name_a_read_only_disk()
    {
        await using var disk = new SmallDisk(4 * 1024 * 1024);
        disk.SetReadOnly(true);
        var process = Process(disk.At("outbox.db"));
        var problem = Assert.Single(process.Problems());
        Assert.Contains("Read-only file system", problem, StringComparison.Ordinal);
        var log = new LinesLog();
        Assert.Equal(EdgeProcess.Failed, await process.RunAsync(log, new Random(1)));
        Assert.Contains(problem, log.Text, StringComparison.Ordinal);
    }

    [SmallDiskFact]
    public async Task Both_name_a_disk_without_room_for_a_new_outbox()
    {
        await using var disk = new SmallDisk(1024 * 1024);
        disk.TakeAllThatIsLeft();
        var process = Process(disk.At("outbox.db"));
        var problem = Assert.Single(process.Problems());
        Assert.Contains("outbox.db cannot be opened: database or disk is full", problem, StringComparison.Ordinal);
        Assert.Equal(["other-program"], Directory.GetFiles(disk.At(".")).Select(Path.GetFileName));

        var log = new LinesLog();
        using var stop = new CancellationTokenSource();
        var running = process.RunAsync(log, new Random(1), stop.Token);
        await log.Until(problem["outbox.file: ".Length..]);
        await stop.CancelAsync();
        await running;
    }

    private static async Task UntilReadyAsync(int port)
    {
        using var http = new HttpClient();
        for (var attempt = 0; attempt < 600; attempt++)
        {
            try
            {
                if ((await http.GetAsync(new Uri($"http://127.0.0.1:{port}/health/ready"))).IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }

            await Task.Delay(100);
        }

        Assert.Fail("the agent did not become ready");
    }

    private EdgeProcess Process(string? outbox = null) => new(
        [
            new AgentOptions
            {
                Gateway = GatewayId.Parse("gw-1"),
                OutboxFile = outbox ?? Outbox,
                Uplink = new() { Host = "127.0.0.1", Port = 1 },
                Inputs = _httpPort > 0 ? [new HttpInputOptions { Port = _httpPort }] : [],
            },
        ],
        _statusPort,
        TimeSpan.FromSeconds(30),
        TimeProvider.System);

    // Each file beside the outbox, with all its bytes.
    private SortedDictionary<string, string> Files() => new(Directory.GetFiles(_folder.FullPath).ToDictionary(
        path => path, path => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(ReadAll(path)))));

    // A reader of this process must not open what this process has locked.
    private byte[] ReadAll(string path) =>
        SqliteOutboxFile.IsOpenHere(path) ? [] : File.ReadAllBytes(path);

    private async Task PrepareAsync(string situation)
    {
        switch (situation)
        {
            case "new":
                break;
            case "empty file":
                await File.WriteAllBytesAsync(Outbox, []);
                break;
            case "a link":
                await MakeAsync(commits: 5, killed: true);
                Directory.CreateDirectory(_folder.At("links"));
                File.CreateSymbolicLink(_folder.At("links/outbox.db"), Outbox);
                _name = "links/outbox.db";
                break;
            case "of before files said whose they are":
                await MakeAsync(commits: 5);
                Sql("DROP TABLE gateway");
                break;
            case "clean stop":
                await MakeAsync(commits: 5);
                break;
            case "killed":
                await MakeAsync(commits: 5, killed: true);
                break;
            case "killed before its first commit":
                await MakeAsync(commits: 0, killed: true);
                break;
            case "another program's database":
                Sql("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
                break;
            case "another program's database in WAL mode":
                Sql("PRAGMA journal_mode = WAL; CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
                break;
            case "text":
                await File.WriteAllTextAsync(Outbox, string.Concat(Enumerable.Repeat("no database at all\n", 500)));
                break;
            case "damaged":
                await MakeAsync(commits: 50);
                Damage();
                break;
            case "damaged, killed":
                await MakeAsync(commits: 50);
                Damage();
                await File.WriteAllBytesAsync(Outbox + "-wal", []);
                break;
            case "truncated":
                await MakeAsync(commits: 50);
                File.Delete(Outbox + "-wal");
                using (var file = File.OpenWrite(Outbox))
                {
                    file.SetLength(file.Length / 2);
                }

                break;
            case "a row that no agent wrote":
                await MakeAsync(commits: 1);
                Sql("INSERT INTO schema_step VALUES (7, 1, 2, x'00ff')");
                break;
            case "newer version":
                await MakeAsync(commits: 1);
                Sql("PRAGMA user_version = 99");
                break;
            case "another gateway's":
                await MakeAsync(commits: 5, gateway: "gw-2");
                break;
            case "another gateway's, killed":
                await MakeAsync(commits: 5, killed: true, gateway: "gw-2");
                break;
            case "a pipe":
                _name = "pipes/outbox.db";
                Directory.CreateDirectory(_folder.At("pipes"));
                await using (var pipe = await ServerProcess.Start(
                    new ServerCommand("/usr/bin/env", "mkfifo", Outbox) { Folder = _folder.FullPath }))
                {
                    await pipe.Exited;
                }

                break;
            case "a device":
                _name = "/dev/null";
                break;
            case "a link to nowhere":
                _name = "links/outbox.db";
                Directory.CreateDirectory(_folder.At("links"));
                File.CreateSymbolicLink(Outbox, _folder.At("nowhere/outbox.db"));
                break;
            case "a folder":
                Directory.CreateDirectory(Outbox);
                break;
            case "no folder":
                _name = "nowhere/outbox.db";
                break;
            case "in use here":
                var open = await SqliteOutboxFile.OpenAsync(Outbox, null, default);
                _held.Add(new AtEnd(() => open.DisposeAsync().AsTask().GetAwaiter().GetResult()));
                break;
            case "HTTP port taken":
                _httpPort = Taken();
                break;
            case "status port taken":
                _statusPort = Taken();
                break;
            default:
                throw new ArgumentException(situation);
        }
    }

    private int Taken()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _held.Add(listener);
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task MakeAsync(int commits, bool killed = false, string gateway = "gw-1")
    {
        var path = killed ? _folder.At("living.db") : Outbox;
        await using (var file = await SqliteOutboxFile.OpenAsync(path, null, default))
        {
            await file.LoadAsync(GatewayId.Parse(gateway), default);
            for (var i = 1; i <= commits; i++)
            {
                await file.CommitAsync(
                    new OutboxCommit
                    {
                        Accepted = i,
                        PromisedW = 0,
                        BringsReadings = true,
                        Segments = [new SegmentRow(i, 1, 0, 0, 0, 5000, new byte[5000], new byte[3])],
                    },
                    default);
            }

            if (killed)
            {
                // As a kill leaves them, copied by another process: this one must not touch what it has locked.
                await using var copy = await ServerProcess.Start(new ServerCommand(
                    "/usr/bin/env", "sh", "-c", $"cp {path} {Outbox} && cp {path}-wal {Outbox}-wal")
                { Folder = _folder.FullPath });
                await copy.Exited;
            }
        }
    }

    private void Damage()
    {
        using var file = File.OpenWrite(Outbox);
        file.Position = 4096;
        file.Write(new byte[32 * 1024]);
    }

    private void Sql(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Outbox};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private sealed class AtEnd(Action act) : IDisposable
    {
        public void Dispose() => act();
    }
}
