using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Telemetry.Tests.Model.Frames.Columns;

/// <summary>Runs tests/frame_decoder.py on lines of input.</summary>
internal static class PythonDecoder
{
    public const string Program = "/usr/bin/python3";

    private static readonly TimeSpan TimeMax = TimeSpan.FromMinutes(2);

    /// <summary>What it prints; throws with what it complains about when it fails.</summary>
    public static string Run(IReadOnlyList<string> lines, [CallerFilePath] string here = "")
    {
        var script = Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "..", "frame_decoder.py");
        using var process = Process.Start(new ProcessStartInfo(Program, ["-B", script])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        foreach (var line in lines)
        {
            process.StandardInput.Write(line + "\n");
        }

        process.StandardInput.Close();
        if (!process.WaitForExit(TimeMax))
        {
            process.Kill();
        }

        Assert.True(process.ExitCode == 0, errors.Result);
        return output.Result;
    }
}

/// <summary>A test that runs the decoder in Python; skipped where there is none.</summary>
internal sealed class PythonFactAttribute : FactAttribute
{
    public PythonFactAttribute() =>
        Skip = File.Exists(PythonDecoder.Program) ? null : $"{PythonDecoder.Program} is missing.";
}
