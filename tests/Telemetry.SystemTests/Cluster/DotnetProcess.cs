using Telemetry.TestKit.Servers;

namespace Telemetry.SystemTests.Cluster;

/// <summary>
/// One of our own programs as a process, in a folder of its own, that can be killed and started again. The kernel kills
/// it when this process dies, however that happens.
/// </summary>
public sealed class DotnetProcess(string name, string program, string folder, params string[] arguments)
    : IAsyncDisposable
{
    /// <summary>The variable that makes a process kill itself at a named point.</summary>
    private const string CrashAt = "TELEMETRY_CRASH_AT";

    /// <summary>The variable that makes outboxes drop readings and declare them.</summary>
    private const string DropEveryVariable = "TELEMETRY_TEST_DROP_EVERY";

    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(60);
    private ServerProcess? _process;

    /// <summary>What people call it.</summary>
    public string Name { get; } = name;

    /// <summary>One reading in so many is dropped by its outboxes, for the test; 0: none.</summary>
    public int DropEvery { get; init; }

    /// <summary>True: the code is compiled as in production, at its best; false: sooner ready, for tests.</summary>
    public bool AsInProduction { get; init; }

    /// <summary>True while it runs.</summary>
    public bool IsRunning => _process is { HasExited: false };

    /// <summary>Its process id, for people.</summary>
    public int? Id => _process?.Id;

    /// <summary>How often it was killed or killed itself.</summary>
    public int Kills { get; private set; }

    /// <summary>Where its output goes.</summary>
    public string OutputFile => Path.Combine(folder, "dotnet.log");

    /// <summary>Ends when it does.</summary>
    public Task Exited => _process?.Exited ?? Task.CompletedTask;

    /// <summary>
    /// Starts it and waits until it is ready; <paramref name="crashAt"/> names a point where it kills itself.
    /// </summary>
    public async Task StartAsync(Func<CancellationToken, Task<bool>> ready, string crashAt = "")
    {
        await LaunchAsync(crashAt);
        await _process!.WaitUntilReady(ready, ReadyWithin);
    }

    /// <summary>Starts it without waiting.</summary>
    public async Task LaunchAsync(string crashAt = "")
    {
        await ForgetAsync();
        Directory.CreateDirectory(folder);
        var environment = new Dictionary<string, string>
        {
            ["DOTNET_NOLOGO"] = "1",
            // A process that is killed would leave its diagnostic socket in the temporary folder.
            ["DOTNET_EnableDiagnostics"] = "0",
        };
        if (!AsInProduction)
        {
            environment["DOTNET_TieredPGO"] = "0";
        }

        if (DropEvery > 0)
        {
            environment[DropEveryVariable] = DropEvery.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        if (crashAt.Length > 0)
        {
            environment[CrashAt] = crashAt;
        }

        var dll = Path.Combine(OtherVersion(program) ?? AppContext.BaseDirectory, program + ".dll");
        _process = await ServerProcess.Start(new ServerCommand(Programs.Require("dotnet"), [dll, .. arguments])
        {
            Folder = folder,
            Environment = environment,
        });
    }

    /// <summary>
    /// The folder of another version that runs in the place of a program: TELEMETRY_FOLDER_OF_AGENT, …_CLOUD,
    /// …_SIMULATOR. Null for this version.
    /// </summary>
    public static string? OtherVersion(string program) =>
        Environment.GetEnvironmentVariable($"TELEMETRY_FOLDER_OF_{program.Split('.')[^1].ToUpperInvariant()}");

    /// <summary>Sends a signal, unless it is gone.</summary>
    public void Signal(ProcessSignal signal) => _process?.Signal(signal);

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        Kills++;
        await ForgetAsync();
    }

    /// <summary>SIGTERM, and SIGKILL when that is not enough.</summary>
    public async Task StopAsync()
    {
        if (_process is not null)
        {
            await _process.Stop();
            await ForgetAsync();
        }
    }

    /// <summary>Waits until it has killed itself at its crash point; throws when it has not in time.</summary>
    public async Task WaitForCrashAsync(TimeSpan within)
    {
        await Exited.WaitAsync(within);
        Kills++;
    }

    /// <summary>The end of what it printed.</summary>
    public string Tail(int lines = 15) =>
        File.Exists(OutputFile) ? string.Join('\n', File.ReadLines(OutputFile).TakeLast(lines)) : "";

    public ValueTask DisposeAsync() => new(ForgetAsync());

    private async Task ForgetAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
            _process = null;
        }
    }
}
