using System.Security.Cryptography;
using Telemetry.Tests.Architecture;

namespace Telemetry.Tests.Dashboard.Pages;

/// <summary>The one third-party script, and what no page may do.</summary>
public sealed class VendoredScriptTests
{
    private const string Root = "cloud/Telemetry.Dashboard/wwwroot";

    /// <summary>
    /// SHA-256 of the files of npm's package uplot 1.6.32 (integrity
    /// sha512-KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw==).
    /// </summary>
    [Theory]
    [InlineData("uPlot.esm.js", "5dd9b3281aa64b461b42d9945f6adb2649d346502b12281a9ae0d46599a80eba")]
    [InlineData("uPlot.min.css", "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04")]
    public void Script_has_the_bytes_of_the_package(string file, string sha256) => Assert.Equal(
        sha256,
        Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(
            SourceTree.Root, Root, "vendor/uplot-1.6.32", file)))));

    [Fact]
    public void Pages_make_no_markup_out_of_text_and_name_no_other_host()
    {
        var files = Directory.GetFiles(Path.Combine(SourceTree.Root, Root, "js"), "*.js");
        Assert.True(files.Length >= 12);
        foreach (var file in files.Append(Path.Combine(SourceTree.Root, Root, "index.html")))
        {
            var text = File.ReadAllText(file).Replace(
                "http://www.w3.org/2000/svg", "", StringComparison.Ordinal);
            foreach (var forbidden in new[]
            {
                "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "http://",
                "https://", "style=\"", "onclick=\"", "javascript:",
            })
            {
                Assert.False(
                    text.Contains(forbidden, StringComparison.Ordinal), $"{Path.GetFileName(file)}: {forbidden}");
            }
        }
    }
}
