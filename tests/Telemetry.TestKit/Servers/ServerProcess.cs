using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Telemetry.TestKit.Servers;

/// <summary>
/// A child process that is a server for a test. It is killed by its process id alone, it dies with us however we
/// die, and disposing leaves nothing of it running.
/// </summary>
public sealed partial class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ProbeEvery = TimeSpan.FromMilliseconds(20);

    private readonly Process _process;
    private readonly ServerCommand _command;
    private readonly BoundedLog _log;
    private readonly TaskCompletionSource _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServerProcess(Process process, ServerCommand command)
    {
        _process = process;
        _command = command;
        Id = process.Id;
        OutputFile = Path.Combine(command.Folder, Path.GetFileName(command.Program) + ".log");
        _log = new BoundedLog(OutputFile);
        process.OutputDataReceived += (_, line) => _log.Write(line.Data);
        process.ErrorDataReceived += (_, line) => _log.Write(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        // Not WaitForExitAsync: that waits for the end of the output too, which grandchildren may keep open.
        process.Exited += (_, _) => _exited.TrySetResult();
        process.EnableRaisingEvents = true;
    }

    public int Id { get; }

    /// <summary>Ends when the process does, whoever ended it.</summary>
    public Task Exited => _exited.Task;

    public bool HasExited => _exited.Task.IsCompleted;

    /// <summary>Exit code once it has exited; 128 + signal when a signal ended it.</summary>
    public int? ExitCode => HasExited ? _process.ExitCode : null;

    /// <summary>The end of what it printed, standard output and error together, bounded.</summary>
    public string OutputFile { get; }

    public static async Task<ServerProcess> Start(ServerCommand command) =>
        new(await Spawner.Start(command), command);

    /// <summary>Asks the probe until it says yes; a probe that throws an I/O error says "not yet".</summary>
    /// <exception cref="InvalidOperationException">The process ended first; with the end of its output.</exception>
    /// <exception cref="TimeoutException">It was not ready in time; with the end of its output.</exception>
    public async Task WaitUntilReady(Func<CancellationToken, Task<bool>> probe, TimeSpan? within = null)
    {
        var limit = within ?? ReadyWithin;
        using var cancellation = new CancellationTokenSource(limit);
        while (!await Ask(probe, cancellation.Token))
        {
            if (HasExited)
            {
                throw new InvalidOperationException($"{_command.Program} ended with {ExitCode}:\n{_log.Tail()}");
            }

            if (cancellation.IsCancellationRequested)
            {
                throw new TimeoutException($"{_command.Program} was not ready in {limit}:\n{_log.Tail()}");
            }

            await Task.WhenAny(Task.Delay(ProbeEvery), Exited);
        }
    }

    /// <summary>SIGKILL to it and to all that it started, and waits until they are gone.</summary>
    public async Task Kill()
    {
        // Listed first: the children of a dead process belong to somebody else.
        var descendants = HasExited ? [] : ProcessTree.DescendantsOf(Id);
        Signal(ProcessSignal.Kill);
        await Exited;
        await ProcessTree.Kill(descendants);
    }

    /// <summary>Asks it to end (SIGTERM unless told otherwise), and kills it when it does not in time.</summary>
    public async Task Stop(ProcessSignal signal = ProcessSignal.Terminate, TimeSpan? within = null)
    {
        Signal(signal);
        if (await Task.WhenAny(Exited, Task.Delay(within ?? StopWithin)) != Exited)
        {
            await Kill();
        }
    }

    /// <summary>Sends a signal, unless the process is gone.</summary>
    public void Signal(ProcessSignal signal)
    {
        if (!HasExited)
        {
            Send(Id, (int)signal);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Kill();
        _log.Dispose();
        _process.Dispose();
    }

    private static async Task<bool> Ask(Func<CancellationToken, Task<bool>> probe, CancellationToken cancellation)
    {
        try
        {
            return await probe(cancellation);
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException
            or System.Data.Common.DbException or OperationCanceledException or TimeoutException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    internal static partial int Send(int processId, int signal);
}
