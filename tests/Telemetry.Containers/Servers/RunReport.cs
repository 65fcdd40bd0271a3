using Xunit.Abstractions;

namespace Telemetry.Containers.Servers;

/// <summary>
/// Lines that a run says beside passed and failed: to the test's output, and to the file that test.sh shows.
/// </summary>
internal static class RunReport
{
    /// <summary>Names the file; without it there is the test's output alone.</summary>
    private const string Variable = "TELEMETRY_CONTAINERS_REPORT";

    private static readonly Lock Guard = new();

    public static void Add(ITestOutputHelper output, string line)
    {
        output.WriteLine(line);
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } file)
        {
            lock (Guard)
            {
                File.AppendAllText(file, line + "\n");
            }
        }
    }
}
