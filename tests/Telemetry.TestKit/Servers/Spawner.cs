using System.Collections.Concurrent;
using System.Diagnostics;

namespace Telemetry.TestKit.Servers;

/// <summary>
/// Starts child processes on one thread that lives as long as we do. Linux sends the parent-death signal when the
/// THREAD that started a child ends: a child started on a pool thread would be killed when the pool retires it.
/// </summary>
internal static class Spawner
{
    private static readonly BlockingCollection<Action> Orders = StartThread();

    /// <summary>Starts it; the task ends when the process exists.</summary>
    public static Task<Process> Start(ServerCommand command)
    {
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        Orders.Add(() =>
        {
            try
            {
                started.SetResult(Process.Start(StartInfo(command))!);
            }
            catch (Exception e)
            {
                started.SetException(e);
            }
        });
        return started.Task;
    }

    /// <summary>Runs a short command to its end and gives what it printed.</summary>
    /// <exception cref="InvalidOperationException">It ended with an error.</exception>
    public static async Task<string> Run(ServerCommand command)
    {
        using var process = await Start(command);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException(
                $"{command.Program} {string.Join(' ', command.Arguments)} ended with {process.ExitCode}:\n"
                + $"{await output}{await errors}");
    }

    private static ProcessStartInfo StartInfo(ServerCommand command)
    {
        var info = new ProcessStartInfo
        {
            WorkingDirectory = command.Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // setpriv becomes the program (exec), so that the process id that we know is the program's own.
        info.FileName = Programs.Require("setpriv");
        info.ArgumentList.Add("--pdeathsig=KILL");
        if (command.User is { } user)
        {
            info.ArgumentList.Add("--reuid=" + user);
            info.ArgumentList.Add("--regid=" + user);
            info.ArgumentList.Add("--clear-groups");
        }

        info.ArgumentList.Add("--");
        info.ArgumentList.Add(command.Program);
        foreach (var argument in command.Arguments)
        {
            info.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in command.Environment)
        {
            info.Environment[name] = value;
        }

        return info;
    }

    private static BlockingCollection<Action> StartThread()
    {
        var orders = new BlockingCollection<Action>();
        new Thread(() =>
        {
            foreach (var order in orders.GetConsumingEnumerable())
            {
                order();
            }
        })
        { IsBackground = true, Name = "spawner of test servers" }.Start();
        return orders;
    }
}
