using System.Diagnostics;

namespace Telemetry.Integration.Dashboard;

/// <summary>
/// The pages' scripts against packages of npm, which eng/install-servers.sh --tests installs by a lock file.
/// </summary>
public sealed class ScriptTests
{
    private static readonly string Root = FindRoot();
    private static readonly string Types = Path.Combine(Root, "tests/Telemetry.Integration/Dashboard/types");
    private static readonly string Packages = Path.Combine(Types, "node_modules");

    [SkippableFact]
    public async Task Types_of_all_scripts_agree()
    {
        Skip.IfNot(Directory.Exists(Packages), "npm's packages are not installed");
        using var compiler = Process.Start(new ProcessStartInfo(
            Path.Combine(Packages, ".bin/tsc"), ["-p", Path.Combine(Types, "tsconfig.json"), "--pretty", "false"])
        { RedirectStandardOutput = true })!;
        var output = await compiler.StandardOutput.ReadToEndAsync();
        await compiler.WaitForExitAsync();

        // The third-party script is checked too, as it is imported; it is not written for this.
        Assert.DoesNotContain(output.Split('\n'), line => line.Contains("wwwroot/js/", StringComparison.Ordinal));
        Assert.Contains("vendor/uplot-1.6.32", output, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("dist/uPlot.esm.js", "uPlot.esm.js")]
    [InlineData("dist/uPlot.min.css", "uPlot.min.css")]
    [InlineData("LICENSE", "LICENSE.txt")]
    public void Third_party_script_is_that_of_the_package(string ofPackage, string ours)
    {
        Skip.IfNot(Directory.Exists(Packages), "npm's packages are not installed");

        Assert.Equal(
            File.ReadAllBytes(Path.Combine(Packages, "uplot", ofPackage)),
            File.ReadAllBytes(Path.Combine(
                Root, "cloud/Telemetry.Dashboard/wwwroot/vendor/uplot-1.6.32", ours)));
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Telemetry.sln")))
        {
            folder = folder.Parent!;
        }

        return folder.FullName;
    }
}
