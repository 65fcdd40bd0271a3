using System.Globalization;

namespace Telemetry.TestKit.Servers;

/// <summary>
/// The descendants of a process that we started, known by id and start time, since ids are used again.
/// </summary>
public static class ProcessTree
{
    private const int ParentField = 1;
    private const int StartTimeField = 19;

    /// <summary>Children, their children and so on, as they are now.</summary>
    public static IReadOnlyList<(int Id, string StartTime)> DescendantsOf(int ancestor)
    {
        var childrenOf = Directory.EnumerateDirectories("/proc")
            .Select(path => int.TryParse(Path.GetFileName(path), CultureInfo.InvariantCulture, out var id) ? id : 0)
            .Select(id => (Id: id, Stat: id > 0 ? Stat(id) : null))
            .Where(process => process.Stat is not null)
            .ToLookup(
                process => int.Parse(process.Stat![ParentField], CultureInfo.InvariantCulture),
                process => (process.Id, process.Stat![StartTimeField]));
        var found = new List<(int Id, string StartTime)>(childrenOf[ancestor]);
        for (var i = 0; i < found.Count; i++)
        {
            found.AddRange(childrenOf[found[i].Id]);
        }

        return found;
    }

    /// <summary>Kills those of them that still live, and waits until they are gone.</summary>
    public static async Task Kill(IReadOnlyList<(int Id, string StartTime)> processes)
    {
        foreach (var process in processes.Where(Lives))
        {
            ServerProcess.Send(process.Id, (int)ProcessSignal.Kill);
        }

        var deadline = DateTime.UtcNow.AddSeconds(10);
        while (processes.Any(Lives))
        {
            if (DateTime.UtcNow > deadline)
            {
                throw new TimeoutException($"Still there after SIGKILL: {string.Join(", ", processes.Where(Lives))}.");
            }

            await Task.Delay(5);
        }
    }

    private static bool Lives((int Id, string StartTime) process) =>
        Stat(process.Id) is { } stat && stat[StartTimeField] == process.StartTime && stat[0] != "Z";

    // Fields after the name in parentheses, which may hold spaces: state, parent, ... (proc(5)).
    private static string[]? Stat(int id)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{id}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null; // It has ended since it was listed.
        }
    }
}
