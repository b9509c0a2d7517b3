//! Batch normalization of images `[N, C, H, W]`: a mean and a variance for each channel, over all images and all places
//! (§3.2 of the paper). γ, β and the running statistics have C entries.
//!
//! A batch is one slice: channel k of image i at row y, column x is at `((i * C + k) * H + y) * W + x`.

use super::{BatchNorm, Cache, Gradients, Shape};

impl BatchNorm {
    /// As `forward`, for images.
    pub fn forward_2d(&self, x: &[f64], shape: Shape) -> (Vec<f64>, Cache) {
        // SOLUTION each place of each image is an example with C features
        let (y, cache) = self.forward(&rows(x, shape));
        (images(&y, shape), cache)
        // END
    }

    /// As `follow`, for images: how many values has a channel's variance been taken of?
    pub fn follow_2d(&mut self, x: &[f64], shape: Shape) {
        // SOLUTION as above
        self.follow(&rows(x, shape));
        // END
    }

    /// As `evaluate`, for images.
    pub fn evaluate_2d(&self, x: &[f64], shape: Shape) -> Vec<f64> {
        // SOLUTION as above
        images(&self.evaluate(&rows(x, shape)), shape)
        // END
    }

    /// All gradients, for images. `upstream` and the gradient of x have the shape of x, those of γ and β have C
    /// entries.
    pub fn backward_2d(&self, cache: &Cache, upstream: &[f64], shape: Shape) -> Gradients {
        // SOLUTION as above
        let upstream = rows(upstream, shape);
        let (gamma, beta) = self.backward_parameters(cache, &upstream);
        Gradients { x: images(&self.backward_inputs(cache, &upstream), shape), gamma, beta }
        // END
    }
}

/// From the order `[N, C, H, W]` to a row of C values for each place of each image, `[N · H · W, C]`. With this and its
/// inverse all four functions above are short. Write both, or leave them out.
fn rows(x: &[f64], shape: Shape) -> Vec<f64> {
    // SOLUTION values in another order
    let places = shape.height * shape.width;
    let mut rows = vec![0.0; x.len()];
    for (index, x) in x.iter().enumerate() {
        let (image, channel, place) =
            (index / places / shape.channels, index / places % shape.channels, index % places);
        rows[(image * places + place) * shape.channels + channel] = *x;
    }
    rows
    // END
}

/// From rows back to `[N, C, H, W]`.
fn images(rows: &[f64], shape: Shape) -> Vec<f64> {
    // SOLUTION the other way round
    let places = shape.height * shape.width;
    let value = |index: usize| {
        let (image, channel, place) =
            (index / places / shape.channels, index / places % shape.channels, index % places);
        rows[(image * places + place) * shape.channels + channel]
    };
    (0..rows.len()).map(value).collect()
    // END
}
