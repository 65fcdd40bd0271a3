using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.TestKit.Servers;

public sealed class ServerProcessTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _folder.DisposeAsync().AsTask();

    [Fact]
    public async Task Process_id_is_that_of_the_program_itself()
    {
        await using var process = await Start("sleep", "1000");

        await process.WaitUntilReady(_ => Task.FromResult(NameOf(process.Id) == "sleep"));
    }

    [Fact]
    public async Task Child_dies_with_the_process_that_started_it()
    {
        // A shell in our place: it starts a sleep the way that we start children, then it is killed.
        const string shell = "setpriv --pdeathsig=KILL -- sleep 1000 & echo $! > child; wait";
        await using var parent = await Start("sh", "-c", shell);
        var child = 0;
        await parent.WaitUntilReady(_ => Task.FromResult(
            File.Exists(_folder.At("child"))
            && int.TryParse(File.ReadAllText(_folder.At("child")), out child) && NameOf(child) == "sleep"));

        parent.Signal(ProcessSignal.Kill);

        await WaitUntil(() => NameOf(child) != "sleep");
    }

    [Fact]
    public async Task Child_outlives_the_thread_that_asked_for_it()
    {
        ServerProcess? process = null;
        var thread = new Thread(() => process = Start("sleep", "1000").GetAwaiter().GetResult());
        thread.Start();
        thread.Join();

        await using var started = process!;
        var ended = await Task.WhenAny(started.Exited, Task.Delay(300));

        Assert.NotEqual(started.Exited, ended);
    }

    [Fact]
    public async Task Early_end_is_reported_with_what_the_program_said()
    {
        await using var process = await Start("sh", "-c", "echo no such luck >&2; exit 3");

        var e = await Assert.ThrowsAsync<InvalidOperationException>(
            () => process.WaitUntilReady(_ => Task.FromResult(false)));

        Assert.Contains("ended with 3", e.Message, StringComparison.Ordinal);
        await WaitUntil(() => File.ReadAllText(process.OutputFile).Contains("no such luck", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Unready_program_is_given_up_in_time()
    {
        await using var process = await Start("sleep", "1000");

        await Assert.ThrowsAsync<TimeoutException>(() => process.WaitUntilReady(
            _ => throw new IOException("not yet"), TimeSpan.FromMilliseconds(100)));
    }

    [Fact]
    public async Task Program_that_ignores_SIGTERM_is_killed()
    {
        await using var process = await Start("sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.05; done");
        await process.WaitUntilReady(_ => Task.FromResult(File.ReadAllText(process.OutputFile).Length > 0));

        await process.Stop(within: TimeSpan.FromMilliseconds(200));

        Assert.Equal(128 + 9, process.ExitCode);
    }

    [Fact]
    public async Task What_the_program_started_dies_with_it()
    {
        await using var process = await Start("sh", "-c", "sleep 1000 & echo $! > child; wait");
        var child = 0;
        await process.WaitUntilReady(_ => Task.FromResult(
            File.Exists(_folder.At("child")) && int.TryParse(File.ReadAllText(_folder.At("child")), out child)));

        await process.Kill();

        Assert.Null(NameOf(child));
    }

    [Fact]
    public async Task Output_file_stays_bounded_and_keeps_the_end()
    {
        await using var process = await Start("sh", "-c", "seq 1 200000; sleep 1000");

        await WaitUntil(() => File.ReadAllText(process.OutputFile).EndsWith("\n200000\n", StringComparison.Ordinal));

        Assert.InRange(new FileInfo(process.OutputFile).Length, 1, 300_000);
    }

    [Fact]
    public async Task Folders_are_deleted_when_the_process_that_made_them_ends()
    {
        var (ours, other) =
            (Directory.CreateDirectory(_folder.At("a-1")), Directory.CreateDirectory(_folder.At("b-1")));
        await File.WriteAllTextAsync(Path.Combine(ours.FullName, "file"), "");
        using var reaper = Reaper.Start(_folder.At("a-"));
        Assert.True(ours.Exists);

        reaper.StandardInput.Close(); // As the kernel does it when we die.

        await WaitUntil(() => !Directory.Exists(ours.FullName));
        Assert.True(Directory.Exists(other.FullName));
    }

    [Fact]
    public void Port_is_never_handed_out_twice()
    {
        var ports = Enumerable.Range(0, 100).Select(_ => FreePort.Next()).ToList();

        Assert.Equal(ports.Count, ports.Distinct().Count());
    }

    private Task<ServerProcess> Start(string program, params string[] arguments) => ServerProcess.Start(
        new ServerCommand(Programs.Require(program), arguments) { Folder = _folder.FullPath });

    // "id (name) state ..." (proc(5)); null when it is gone, or dead and only waits to be reaped.
    private static string? NameOf(int process)
    {
        try
        {
            var words = File.ReadAllText($"/proc/{process}/stat").Split(' ');
            return words[2] == "Z" ? null : words[1].Trim('(', ')');
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static async Task WaitUntil(Func<bool> holds)
    {
        for (var attempt = 0; !holds(); attempt++)
        {
            Assert.True(attempt < 500, "It did not come true in 10 s.");
            await Task.Delay(20);
        }
    }
}
